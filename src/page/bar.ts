// A labelled stretch of time, painted as a bar with its name where it fits.

export interface Area {
    x: number;
    y: number;
    w: number;
    h: number;
}

// left and right in pixels, cut to the area; y and height of the lane.
export function paintBar(
    canvas: CanvasRenderingContext2D, area: Area, left: number, right: number, y: number, height: number, fill: string,
    ink: string, name: string): void {
    left = Math.max(left, area.x);
    right = Math.min(right, area.x + area.w);
    if (right <= area.x || left >= area.x + area.w) return;
    canvas.fillStyle = fill;
    canvas.fillRect(left, y + 2, Math.max(right - left, 1.5), height - 4);
    if (right - left > 20 && canvas.measureText(name).width + 6 < right - left) {
        canvas.fillStyle = ink;
        canvas.fillText(name, left + 3, y + height - 6);
    }
}
