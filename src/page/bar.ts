// Marks of lanes: a labelled stretch of time, painted as a bar with its name where it fits, and a report of the device.

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

// A report at (x, y), with a line down to `bottom`. Up: right. Cross: false. Down: of the wrong class or once more. The
// shape says it, the colour is the class.
export function paintReport(
    canvas: CanvasRenderingContext2D, x: number, y: number, bottom: number, fill: string, ink: string,
    kind: string): void {
    canvas.fillStyle = fill;
    canvas.globalAlpha = 0.5;
    canvas.fillRect(x - 0.5, y, 1, bottom - y);
    canvas.globalAlpha = 1;
    canvas.beginPath();
    if (kind === "false") {
        canvas.lineWidth = 3;
        canvas.strokeStyle = ink;
        canvas.moveTo(x - 5, y - 5);
        canvas.lineTo(x + 5, y + 5);
        canvas.moveTo(x + 5, y - 5);
        canvas.lineTo(x - 5, y + 5);
        canvas.stroke();
    } else {
        const tip = kind === "true" ? -6 : 6;
        canvas.moveTo(x, y + tip);
        canvas.lineTo(x - 6, y - tip);
        canvas.lineTo(x + 6, y - tip);
        canvas.fill();
    }
}
