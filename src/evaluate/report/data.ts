// What report.c puts into the page. Format: docs/metrics-format.md.

import type {Figure, Pair} from "../../page/page";

export type {Pair};

export interface ClassFigures {
    name: string;
    n_true: number;
    n_predicted: number;
    precision: Figure;
    recall: Figure;
    f1: Figure;
}

export interface Frames {
    n_frames: number;
    accuracy: Figure;
    accuracy_95: Pair;
    accuracy_with_margins: Figure;
    balanced_accuracy: Figure;
    macro_f1: Figure;
    confusion?: number[][];
    classes: ClassFigures[];
}

export interface ClassEvents extends EventCounts {
    name: string;
}

export interface Latency {
    mean_s: Figure;
    median_s: Figure;
    p95_s: Figure;
    histogram: {first_s: number; width_s: number; counts: number[]};
}

export interface EventCounts {
    n_events: number;
    true_positives: number;
    wrong_class: number;
    corrected: number;
    missed: number;
    false_positives: number;
    false_triggers: number;
    repeats: number;
    duplicates: number;
    rejection_hours: number;
    fnr: Figure;
    fcr: Figure;
    recall: Figure;
    precision: Figure;
    f1: Figure;
    fp_per_hour: Figure;
    fp_per_hour_labelled: Figure;
    iou50_f1: Figure;
    iou75_f1: Figure;
    false_active_share: Figure;
    latency_mean_s: Figure;
    deadline_recall: Figure;
    in_time: number;
    fnr_exact_95: Pair;
    fcr_exact_95: Pair;
    recall_exact_95: Pair;
    deadline_recall_exact_95: Pair;
    fp_per_hour_exact_95: Pair;
    fp_per_hour_below_95: Figure;
    fnr_plus_fcr: Figure;
    latency: {mean_s: Figure; median_s: Figure; p95_s: Figure};
}

export interface Events extends EventCounts {
    fnr_plus_fcr_95: Pair;
    fp_per_hour_95: Pair;
    iou50_f1_95: Pair;
    deadline_recall_95: Pair;
    latency: Latency;
    classes?: ClassEvents[];
    confusion?: number[][];
}

// What a position of the threshold comes to: a part of Events.
export interface Position extends EventCounts {
    latency: Latency;
    confusion: number[][];
}

// Three numbers that are so from one position to another: report_scores.c.
export type Run = [number, number, number, number, number];

// tuning.json
export interface Counted {
    fnr_plus_fcr: Figure;
    fnr_plus_fcr_95?: Pair;
    fp_per_hour: Figure;
    fp_per_hour_95?: Pair;
    latency_mean_s: Figure;
    latency_mean_s_95?: Pair;
    f1: Figure;
    f1_95?: Pair;
    iou50_f1: Figure;
    iou50_f1_95?: Pair;
}

export interface RulePoint {
    rule: Rule;
    validation: Counted;
}

export interface Choice extends RulePoint {
    why: string;
    left_out: Counted|null;
}

export interface Tuning {
    asked: {preset: string|null};
    chosen: Choice;
    presets: Record<string, Choice>;
    front: RulePoint[];
    front_size: number;
}

export interface Thresholds {
    chosen: number;  // index of the position that is the chosen rule
    offsets: number[];  // rising, score units on every threshold of the rule
    kinds: string[];
    validation: Position[];
    test: Position[];
    streams: {triggers: Run[]; segments: Run[]; events: Run[]}[];
}

export interface Person {
    name: string;
    n_frames: number;
    accuracy: Figure;
    balanced_accuracy: Figure;
    macro_f1: Figure;
    window_accuracy?: Figure;
    events?: EventCounts;
}

export interface Result {
    frames: Frames;
    events?: Events;
    windows?: {n_windows: number; accuracy: Figure; accuracy_95: Pair};
    people?: Person[];
}

export interface Rule {
    on: (number|null)[]; // of each class; null: it is no event
    smooth_shift: number;
    hysteresis: number;
    lead: number;
    needed: number;
    of: number;
    min_length: number;
    refractory: number;
}

// A list: the margins of single classes.
export type Setting = string|number|boolean|null|{class: string; early_ms: number; late_ms: number}[];

export interface Metrics {
    tool_version: string;
    dataset: string;
    data_hash: string;
    model_hash: string;
    rate_hz: number;
    hop: number;
    delay?: number;
    classes: {name: string; event: boolean}[];
    settings: Record<string, Setting>;
    has_events: boolean;
    rules_compared: number;
    summary: {rule: Rule};
    validation: {integer: Result; float?: Result};
    test: {integer: Result; float?: Result};
    trivial: (Result&{name: string})[];
}

export interface Table {
    columns: string[];
    rows: Figure[][];
}

export type Interval = [number, number, number];

export interface Timeline {
    is: {
        id: string; subject: string; n_frames: number; intervals: Interval[];
        events: [number, number, number, number][];
        segments: Interval[];
        predicted: Interval[];
        triggers: [number, number, string][];
    };
    signals: [number[], number[]][];
}

export interface Mistake {
    kind: string;
    role: string;
    id: string;
    subject: string;
    start: number;  // frames [start, end)
    end: number;
    report: number;  // frame, -1: none
    truth: number;   // class, -1: no event
    said: number;
    confidence: number;  // logits
    proposed?: Interval;
    from: number;  // of the picture
    to: number;
    columns: number;
    signals: {channel: number; counts: string}[];
    intervals: Interval[];
    predicted: Interval[];
    segments?: Interval[];
    triggers?: [number, number, string][];
    scores: {first: number; step: number; values: string};
}

export interface Found {
    missed: number;
    wrong: number;
    false: number;
    repeat: number;
    duplicate: number;
    frames: number;
    wrong_frames: number;
}

export interface Data {
    title: string;
    metrics: Metrics;
    words: string;  // a sentence a line
    files: [string, string, string][];  // stage, name, SHA-256
    thresholds?: Thresholds;
    tuning?: Tuning;
    calibration?: {n_frames: number; ece: Figure; overconfident: Figure; bins: [number, Figure, Figure][]};
    train_curve?: Table;
    finetune_curve?: Table;
    footprint?: Record<string, unknown>;
    config?: string;
    unlabelled: number;  // class of frames without a label, -1: none
    channels: {name: string; unit: string; scale: number}[];
    n_timelines?: number;
    timelines?: Timeline[];
    mistakes?: {found: {validation: Found; test: Found}; decimals: number; header: string; list: Mistake[]};
}
