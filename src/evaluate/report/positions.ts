// Where the threshold stands, for everything that follows it. All figures and everything said at a position were made by the
// C code (positions.c); here they are looked up.

import type {Data, EventCounts, Interval, Position, Rule, Run, Thresholds, Timeline} from "./data";

// What the device says in one recording.
export interface Said {
    events: [number, number, number, number][];  // start, end, class, class of its report or -1
    segments: Interval[];
    triggers: [number, number, string][];
}

const SCORE_ONE = 256;  // score units of a logit

function at(runs: Run[], position: number): Run[] {
    return runs.filter(([, , , from, to]) => from <= position && position <= to).sort((x, y) => x[0] - y[0]);
}

// The value that all event classes share, if they do.
function common(rule: Rule): number|null {
    if (typeof rule.on === "number") return rule.on;
    const values = rule.on.filter((v): v is number => v !== null);
    return values.every((v) => v === values[0]) ? values[0] ?? null : null;
}

export class Positions {
    index: number;
    private readonly listeners: (() => void)[] = [];
    private readonly base: number|null;

    constructor(private readonly source: Thresholds, rule: Rule) {
        this.index = source.chosen;
        this.base = common(rule);
    }

    get length(): number {
        return this.source.offsets.length;
    }

    get chosen(): number {
        return this.source.chosen;
    }

    // Whether the thresholds are one, so that it can be told; else only by how much all of them are moved.
    get isCommon(): boolean {
        return this.base !== null;
    }

    // in logits: the threshold, or the offset
    logit(index: number): number {
        return ((this.base ?? 0) + this.source.offsets[index]) / SCORE_ONE;
    }

    inWords(index: number): string {
        const logits = this.logit(index);
        const sign = !this.isCommon && logits > 0 ? "+" : "";
        return sign + logits.toFixed(2).replace("-", "−") + (index === this.chosen ? " (chosen)" : "");
    }

    figures(set: "test"|"validation", index = this.index): Position {
        return this.source[set][index];
    }

    move(index: number): void {
        this.index = Math.max(0, Math.min(this.length - 1, index));
        this.listeners.forEach((changed) => changed());
    }

    // The position nearest to a threshold (or offset) in logits.
    nearest(logits: number): number {
        let best = 0;
        for (let i = 1; i < this.length; i++)
            if (Math.abs(this.logit(i) - logits) < Math.abs(this.logit(best) - logits)) best = i;
        return best;
    }

    // Calls it now and after every move.
    follow(changed: () => void): void {
        this.listeners.push(changed);
        changed();
    }

    // In the recording `stream` of the timelines; null where the page does not hold it.
    said(stream: number, timeline: Timeline): Said|null {
        const runs = this.source.streams[stream];
        if (!runs) return null;
        const told = at(runs.events, this.index);
        return {
            events: timeline.is.events.map(([start, end, k], i) => [start, end, k, told[i][2]]),
            segments: at(runs.segments, this.index).map(([start, end, k]) => [start, end, k]),
            triggers: at(runs.triggers, this.index).map(([frame, k, kind]) => [frame, k, this.source.kinds[kind]]),
        };
    }
}

export function positionsOf(data: Data): Positions|null {
    return data.thresholds ? new Positions(data.thresholds, data.metrics.summary.rule) : null;
}

export function extraReports(counts: EventCounts): number {
    return counts.repeats + counts.duplicates;
}
