// A recording of any length, drawn as fast as a short one: the least and greatest value of pairs of frames, of pairs of
// these, and so on, so that any view reads about two values per pixel.

import type {Envelope} from "../../page/painter";

interface Level {
    per: number;  // frames per item
    low: Int16Array;
    high: Int16Array;
}

export class Signal {
    readonly range: [number, number];
    private readonly levels: Level[];
    private readonly frames = new Float64Array(8192);
    private readonly low = new Float64Array(8192);
    private readonly high = new Float64Array(8192);

    // values: one per frame, or pairs of least and greatest of equal parts of the recording
    constructor(values: Int16Array, nFrames: number, pairs: boolean) {
        const n = pairs ? values.length / 2 : values.length;
        let level: Level = {per: nFrames / n, low: values, high: values};
        if (pairs) {
            level = {per: nFrames / n, low: new Int16Array(n), high: new Int16Array(n)};
            for (let i = 0; i < n; i++) {
                level.low[i] = values[2 * i];
                level.high[i] = values[2 * i + 1];
            }
        }
        this.levels = [level];
        while (level.low.length > 256) level = this.halve(level);
        this.range = [level.low.reduce((a, b) => Math.min(a, b)), level.high.reduce((a, b) => Math.max(a, b))];
    }

    private halve(from: Level): Level {
        const n = Math.ceil(from.low.length / 2);
        const to = {per: 2 * from.per, low: new Int16Array(n), high: new Int16Array(n)};
        for (let i = 0; i < n; i++) {
            const j = Math.min(2 * i + 1, from.low.length - 1);
            to.low[i] = Math.min(from.low[2 * i], from.low[j]);
            to.high[i] = Math.max(from.high[2 * i], from.high[j]);
        }
        this.levels.push(to);
        return to;
    }

    // What a view of so many pixels shows. The arrays are valid until the next call.
    envelope(from: number, to: number, pixels: number): Envelope {
        const most = Math.min(pixels, 4000);
        const level = this.levels.filter((l) => l.per <= (to - from) / most).pop() ?? this.levels[0];
        const first = Math.max(0, Math.floor(from / level.per) - 1);
        const end = Math.min(level.low.length, Math.ceil(to / level.per) + 1, first + 8192);
        const n = Math.max(0, end - first);
        const single = level.low === level.high;
        for (let i = 0; i < n; i++) {
            this.frames[i] = (first + i + (single ? 0 : 0.5)) * level.per;
            this.high[i] = level.high[first + i];
            this.low[i] = level.low[first + i];
        }
        const high = this.high.subarray(0, n);
        return {frames: this.frames.subarray(0, n), low: single ? high : this.low.subarray(0, n), high};
    }
}
