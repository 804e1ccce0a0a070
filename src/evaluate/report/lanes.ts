// What was true and what the device said, painted as lanes above the signals of one recording.

import type {Area} from "../../page/bar";
import {paintBar, paintReport} from "../../page/bar";
import type {Interval, Metrics, Timeline} from "./data";
import type {Said} from "./positions";
import {colour, theme} from "../../page/page";

const HEIGHT = 18;  // pixels of a lane

export class Lanes {
    readonly names: string[];
    // classes that have a colour of their own: the events, or all classes where none is an event
    readonly coloured: number[];
    private fills: string[] = [];
    private ink = {text: "", onColour: "", line: ""};

    constructor(private readonly metrics: Metrics) {
        const all = metrics.classes.map((_, k) => k);
        this.names = metrics.has_events ? ["labels", "model", "active", "reports"] : ["labels", "model"];
        this.coloured = all.filter((k) => !metrics.has_events || metrics.classes[k].event);
    }

    get height(): number {
        return this.names.length * HEIGHT + 8;
    }

    top(lane: number): number {
        return lane * HEIGHT;
    }

    // Reads the colours of the present scheme, once per drawing.
    takeColours(): void {
        this.ink = {text: theme("--text"), onColour: theme("--on-colour"), line: theme("--line")};
        this.fills = this.metrics.classes.map((_, k) => {
            const place = this.coloured.indexOf(k);
            return place < 0 ? this.ink.line : colour(place);
        });
    }

    fill(k: number): string {
        return this.fills[k];
    }

    paint(
        canvas: CanvasRenderingContext2D, area: Area, toX: (seconds: number) => number, is: Timeline["is"],
        said: Said): void {
        canvas.save();
        canvas.font = "11px system-ui, sans-serif";
        canvas.beginPath();
        canvas.rect(area.x, area.y, area.w, area.h);
        canvas.clip();
        const x = (frame: number) => toX(frame / this.metrics.rate_hz);
        is.intervals.forEach((interval) => this.bar(canvas, area, x, 0, interval));
        is.predicted.forEach((interval) => this.bar(canvas, area, x, 1, interval));
        if (this.metrics.has_events) {
            said.segments.forEach((interval) => this.bar(canvas, area, x, 2, interval));
            said.triggers.forEach(([frame, k, kind]) => this.trigger(canvas, area, x(frame), k, kind));
        }
        canvas.fillStyle = this.ink.line;
        canvas.fillRect(area.x, area.y + this.names.length * HEIGHT + 2, area.w, 1);
        canvas.restore();
    }

    private bar(canvas: CanvasRenderingContext2D, area: Area, x: (frame: number) => number, lane: number, [
        start, end, k
    ]: Interval): void {
        if (k < 0) return;  // a label of the source that is no class here
        const ink = this.coloured.includes(k) ? this.ink.onColour : this.ink.text;
        paintBar(
            canvas, area, x(start), x(end), area.y + lane * HEIGHT, HEIGHT, this.fills[k], ink,
            this.metrics.classes[k].name);
    }

    private trigger(canvas: CanvasRenderingContext2D, area: Area, x: number, k: number, kind: string): void {
        if (x < area.x || x > area.x + area.w) return;
        const y = area.y + 3 * HEIGHT + HEIGHT / 2;
        paintReport(canvas, x, y, area.y + area.h, this.fills[k], this.ink.text, kind);
    }
}
