// Signals with their labels on a canvas: lanes of labels, a panel of curves, a panel per unit, an axis of time. Draws
// what it is given and knows nothing of the mouse.

import type {Area} from "./bar";
import {paintBar, paintReport} from "./bar";
import {colour, theme} from "./page";

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
    colour: string;
    width: number;
    dash: number[];
    frames: Float64Array;
    values: Float64Array;  // NaN: none
}

// What a model said, in a panel of its own.
export interface Curves {
    name: string;
    range: [number, number];
    height: number;  // pixels
    lines: Curve[];
}

export interface Lane {
    name: string;
    intervals: Interval[];
    reports?: [number, number, string][];  // frame, class, kind: instead of intervals
}

export interface View {
    from: number;  // frames
    to: number;
    series: Series[];
    lanes: Lane[];
    marks: [number, number][];  // stretches to look at, frames
    curves: Curves|null;
}

export const LEFT = 58;
const RIGHT = 8;
const LANE = 20;
const AXIS = 20;
const GAP = 6;

// base64 of two bytes each, the low one first
export function decode(text: string): Int16Array {
    const bytes = atob(text);
    const values = new Int16Array(bytes.length / 2);
    for (let i = 0; i < values.length; i++)
        values[i] = bytes.charCodeAt(2 * i) | (bytes.charCodeAt(2 * i + 1) << 8);
    return values;
}

// Signals as tin_signal_add writes them: one value per frame, or pairs of least and greatest per column.
export function seriesOf(
    signals: {channel: number; counts: string}[], from: number, to: number, columns: number): Series[] {
    const frames = columnFrames(from, to, columns);
    const pairs = columns < to - from;
    return signals.map(({channel, counts}) => {
        const all = Float64Array.from(decode(counts));
        const low = pairs ? all.filter((_, i) => i % 2 === 0) : all;
        const high = pairs ? all.filter((_, i) => i % 2 === 1) : all;
        const range: [number, number] = [low.reduce((a, b) => Math.min(a, b)), high.reduce((a, b) => Math.max(a, b))];
        return {channel, envelope: {frames, low, high}, range};
    });
}

// The middles of equal columns.
export function columnFrames(from: number, to: number, columns: number): Float64Array {
    return Float64Array.from({length: columns}, (_, i) => from + ((i + 0.5) * (to - from)) / columns);
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
        const lanes = LANE * view.lanes.length;
        const top = lanes + (view.curves ? view.curves.height + GAP : 0);
        const each = (area.h - top - GAP * groups.length) / Math.max(1, groups.length);
        this.marks(view, area);
        view.lanes.forEach((lane, i) => this.lane(view, area, lane, i * LANE));
        if (view.curves)
            this.curves(view, view.curves, {x: LEFT, y: lanes + GAP, w: area.w, h: view.curves.height - GAP});
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

    private lane(view: View, area: Area, lane: Lane, y: number): void {
        const soft = theme("--line");
        const [onColour, text] = [theme("--on-colour"), theme("--text")];
        for (const [start, end, k] of lane.intervals) {
            if (end < view.from || start > view.to) continue;
            const fill = k < 0 ? null : classFill(this.head, k);
            paintBar(
                this.context, area, this.x(view, area, start), this.x(view, area, end), y, LANE, fill ?? soft,
                fill ? onColour : text, k < 0 ? "ignore" : this.head.classes[k].name);
        }
        for (const [frame, k, kind] of lane.reports ?? []) {
            if (frame < view.from || frame > view.to) continue;
            const x = this.x(view, area, frame);
            paintReport(this.context, x, y + LANE / 2, area.h, classFill(this.head, k) ?? text, text, kind);
        }
        this.context.fillStyle = theme("--soft");
        this.context.fillText(lane.name, 4, y + LANE - 6);
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

    private curves(view: View, curves: Curves, panel: Area): void {
        const c = this.context;
        const [low, high] = curves.range;
        this.rules(panel, low, high, curves.name);
        c.save();
        c.beginPath();
        c.rect(panel.x, panel.y, panel.w, panel.h);
        c.clip();
        for (const curve of curves.lines) {
            c.strokeStyle = curve.colour;
            c.lineWidth = curve.width;
            c.setLineDash(curve.dash);
            c.beginPath();
            let pen = false;
            for (let i = 0; i < curve.frames.length; i++) {
                if (Number.isNaN(curve.values[i])) continue;
                const x = this.x(view, panel, curve.frames[i]);
                const y = panel.y + panel.h * (1 - (curve.values[i] - low) / (high - low));
                if (pen)
                    c.lineTo(x, y);
                else
                    c.moveTo(x, y);
                pen = true;
            }
            c.stroke();
        }
        c.restore();
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
