// Signals with their labels on a canvas: a lane of labels, a panel per unit, an axis of time. Draws what it is given and
// knows nothing of the mouse.

import type {Area} from "../../page/bar";
import {paintBar} from "../../page/bar";
import {colour, theme} from "../../page/page";

export interface Channel {
    name: string;
    unit: string;
    scale: number;
}

export interface Class {
    name: string;
    event: boolean;
}

export interface Head {
    channels: Channel[];
    classes: Class[];
    rate_hz: number;
    unlabelled: number;
}

export type Interval = [number, number, number];

// Counts of one channel over the pixels of a view: the least and greatest per column, at the frame of the column.
export interface Envelope {
    frames: Float64Array;  // [n]
    low: Float64Array;     // [n] counts
    high: Float64Array;    // [n]; the same array as low where single values are drawn
}

export interface Series {
    channel: number;  // index
    envelope: Envelope;
    range: [number, number];  // of the counts, for the axis
}

export interface Curve {
    name: string;
    colour: string;
    frames: Float64Array;
    values: Float64Array;  // 0..1, negative: none
}

export interface View {
    from: number;  // frames
    to: number;
    series: Series[];
    intervals: Interval[];
    marks: [number, number][];  // stretches to look at, frames
    curves: Curve[];            // a panel of its own, when there are any
}

export const LEFT = 58;
const RIGHT = 8;
const LANE = 20;
const AXIS = 20;
const GAP = 6;
const CURVES = 46;

// base64 of two bytes each, the low one first
export function decode(text: string): Int16Array {
    const bytes = atob(text);
    const values = new Int16Array(bytes.length / 2);
    for (let i = 0; i < values.length; i++)
        values[i] = bytes.charCodeAt(2 * i) | (bytes.charCodeAt(2 * i + 1) << 8);
    return values;
}

// A step of 1, 2 or 5 times a power of ten that gives at most n steps.
function niceStep(span: number, n: number): number {
    const raw = span / Math.max(n, 1);
    const power = 10 ** Math.floor(Math.log10(raw));
    return power * ([1, 2, 5, 10].find((f) => f * power >= raw * (1 - 1e-9)) ?? 10);
}

function label(value: number, step: number): string {
    const digits = Math.max(0, Math.min(6, -Math.floor(Math.log10(step) + 1e-9)));
    return (Math.abs(value) < step / 1e6 ? 0 : value).toFixed(digits);
}

export function units(head: Head): string[] {
    return [...new Set(head.channels.map((c) => c.unit))];
}

// One colour per channel within its unit.
export function channelColour(head: Head, channel: number): string {
    const unit = head.channels[channel].unit;
    return colour(head.channels.slice(0, channel).filter((c) => c.unit === unit).length);
}

// Classes that have a colour of their own: the events, or all where none is one.
export function classFill(head: Head, k: number): string|null {
    const events = head.classes.some((c) => c.event);
    if (events && !head.classes[k].event) return null;
    return colour(head.classes.slice(0, k).filter((c) => c.event || !events).length);
}

export class Painter {
    private readonly context: CanvasRenderingContext2D;

    constructor(readonly canvas: HTMLCanvasElement, private readonly head: Head) {
        this.context = canvas.getContext("2d")!;
    }

    // width of the part with the signal, CSS pixels
    get plotWidth(): number {
        return Math.max(50, this.canvas.clientWidth - LEFT - RIGHT);
    }

    paint(view: View): void {
        const ratio = Math.min(2, devicePixelRatio || 1);
        const width = this.canvas.clientWidth;
        const height = this.canvas.clientHeight;
        if (this.canvas.width !== Math.round(width * ratio) || this.canvas.height !== Math.round(height * ratio)) {
            this.canvas.width = Math.round(width * ratio);
            this.canvas.height = Math.round(height * ratio);
        }
        const c = this.context;
        c.setTransform(ratio, 0, 0, ratio, 0, 0);
        c.clearRect(0, 0, width, height);
        c.font = "11px system-ui, sans-serif";
        const area = {x: LEFT, y: 0, w: this.plotWidth, h: height - AXIS};
        const groups = units(this.head)
                           .map((unit) => view.series.filter((s) => this.head.channels[s.channel].unit === unit))
                           .filter((group) => group.length > 0);
        const curves = view.curves.length > 0 ? CURVES : 0;
        const top = LANE + (curves ? curves + GAP : 0);
        const each = (area.h - top - GAP * groups.length) / Math.max(1, groups.length);
        this.marks(view, area);
        this.lane(view, area);
        if (curves) this.curves(view, {x: LEFT, y: LANE + GAP, w: area.w, h: curves - GAP});
        groups.forEach((group, i) => {
            const panel = {x: LEFT, y: top + GAP + i * (each + GAP), w: area.w, h: each};
            this.panel(view, panel, group);
        });
        this.axis(view, area);
    }

    private x(view: View, area: Area, frame: number): number {
        return area.x + ((frame - view.from) / (view.to - view.from)) * area.w;
    }

    private marks(view: View, area: Area): void {
        this.context.save();
        this.context.fillStyle = theme("--mark");
        for (const [start, end] of view.marks) {
            const left = Math.max(this.x(view, area, start), area.x);
            const right = Math.min(this.x(view, area, end), area.x + area.w);
            if (right >= area.x && left <= area.x + area.w)
                this.context.fillRect(left - 1, area.y, Math.max(right - left, 1) + 2, area.h);
        }
        this.context.restore();
    }

    private lane(view: View, area: Area): void {
        const soft = theme("--line");
        const [onColour, text] = [theme("--on-colour"), theme("--text")];
        for (const [start, end, k] of view.intervals) {
            if (end < view.from || start > view.to) continue;
            const fill = k < 0 ? null : classFill(this.head, k);
            paintBar(
                this.context, area, this.x(view, area, start), this.x(view, area, end), 0, LANE, fill ?? soft,
                fill ? onColour : text, k < 0 ? "ignore" : this.head.classes[k].name);
        }
        this.context.fillStyle = theme("--soft");
        this.context.fillText("labels", 4, LANE - 6);
    }

    // The vertical axis of one panel and its name.
    private rules(panel: Area, low: number, high: number, name: string): void {
        const c = this.context;
        const step = niceStep(high - low, panel.h / 26);
        c.strokeStyle = theme("--line");
        c.fillStyle = theme("--soft");
        c.lineWidth = 1;
        c.textAlign = "right";
        for (let v = Math.ceil(low / step) * step; v <= high; v += step) {
            const y = Math.round(panel.y + panel.h - ((v - low) / (high - low)) * panel.h) + 0.5;
            c.beginPath();
            c.moveTo(panel.x, y);
            c.lineTo(panel.x + panel.w, y);
            c.stroke();
            if (y > panel.y + 4 && y < panel.y + panel.h - 2) c.fillText(label(v, step), panel.x - 5, y + 4);
        }
        c.textAlign = "left";
        c.save();
        c.translate(11, panel.y + panel.h / 2);
        c.rotate(-Math.PI / 2);
        c.textAlign = "center";
        c.fillText(name, 0, 0);
        c.restore();
    }

    private panel(view: View, panel: Area, group: Series[]): void {
        const c = this.context;
        const scale = (s: Series) => this.head.channels[s.channel].scale;
        let low = Math.min(...group.map((s) => s.range[0] * scale(s)));
        let high = Math.max(...group.map((s) => s.range[1] * scale(s)));
        const pad = 0.04 * (high - low) || 1;
        low -= pad;
        high += pad;
        this.rules(panel, low, high, this.head.channels[group[0].channel].unit);
        c.save();
        c.beginPath();
        c.rect(panel.x, panel.y, panel.w, panel.h);
        c.clip();
        c.lineWidth = 1;
        for (const s of group) {
            c.strokeStyle = channelColour(this.head, s.channel);
            const factor = (-panel.h / (high - low)) * scale(s);
            const zero = panel.y + panel.h + (low / (high - low)) * panel.h;
            this.trace(view, panel, s.envelope, zero, factor);
        }
        c.restore();
    }

    private trace(view: View, panel: Area, e: Envelope, zero: number, factor: number): void {
        const c = this.context;
        const n = e.frames.length;
        const pace = panel.w / (view.to - view.from);
        const both = e.low !== e.high;
        c.beginPath();
        for (let i = 0; i < n; i++) {
            const x = panel.x + (e.frames[i] - view.from) * pace;
            const y = zero + factor * e.high[i];
            if (i === 0)
                c.moveTo(x, y);
            else
                c.lineTo(x, y);
            if (both) c.lineTo(x, zero + factor * e.low[i]);
        }
        c.stroke();
    }

    private curves(view: View, panel: Area): void {
        const c = this.context;
        this.rules(panel, 0, 1, "model");
        c.lineWidth = 1.5;
        for (const curve of view.curves) {
            c.strokeStyle = curve.colour;
            c.beginPath();
            let pen = false;
            for (let i = 0; i < curve.frames.length; i++) {
                if (curve.values[i] < 0) continue;
                const x = this.x(view, panel, curve.frames[i]);
                const y = panel.y + panel.h * (1 - curve.values[i]);
                if (pen)
                    c.lineTo(x, y);
                else
                    c.moveTo(x, y);
                pen = true;
            }
            c.stroke();
        }
    }

    private axis(view: View, area: Area): void {
        const c = this.context;
        const rate = this.head.rate_hz;
        const [from, to] = [view.from / rate, view.to / rate];
        const step = niceStep(to - from, area.w / 80);
        c.fillStyle = theme("--soft");
        c.strokeStyle = theme("--soft");
        c.lineWidth = 1;
        c.textAlign = "center";
        for (let v = Math.ceil(from / step) * step; v <= to; v += step) {
            const x = Math.round(this.x(view, area, v * rate)) + 0.5;
            c.beginPath();
            c.moveTo(x, area.y + area.h);
            c.lineTo(x, area.y + area.h + 4);
            c.stroke();
            if (x > area.x + 12 && x < area.x + area.w - 12)
                c.fillText(label(v, step) + (step >= 1 ? "\u00a0s" : ""), x, area.y + area.h + 15);
        }
        c.textAlign = "left";
    }
}
