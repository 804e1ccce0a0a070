// Confusion matrices, trivial detectors, people, latency, footprint, lineage.

import type {Data, EventCounts, Events, Frames, Latency, Person, Position, Result, Setting} from "./data";
import {mistakesAt} from "./mistakes";
import {make, number, percent, rate, seconds, section, table} from "../../page/page";

// Shade by the share of the row, text by count; the reader without colours has the numbers.
// at: where the mistakes of a cell are shown.
function matrix(
    rowNames: string[], columnNames: string[], cells: (number|null)[][], what: string,
    at: ((i: number, j: number) => string)|null): HTMLElement {
    const head = make(
        "tr", {}, make("th", {}, "true \\ said"), ...columnNames.map((name) => make("th", {scope: "col"}, name.replace(/_/g, "_\u200b"))),
        make("th", {scope: "col"}, "all"));
    const rows = cells.map((row, i) => {
        const sum = row.reduce((a: number, b) => a + (b ?? 0), 0);
        return make(
            "tr",
            {},
            make("th", {scope: "row"}, rowNames[i]),
            ...row.map((cell, j) => {
                if (cell === null) return make("td", {class: "void"}, "");
                const share = sum > 0 ? cell / sum : 0;
                const words = cell === 0 ? "·" : cell.toLocaleString("en");
                const td = make(
                    "td", {
                        class: i === j ? "right" : "wrong",
                        title: `${cell} ${what}, ${(100 * share).toFixed(1)} % of the row`
                    },
                    at && i !== j && cell > 0 ? make("a", {href: at(i, j)}, words) : words);
                td.style.setProperty("--share", share.toFixed(3));
                return td;
            }),
            make("td", {class: "sum"}, sum.toLocaleString("en")),
        );
    });
    return make(
        "div", {class: "scroll"},
        make("table", {class: "matrix"}, make("thead", {}, head), make("tbody", {}, ...rows)));
}

function perClass(frames: Frames): HTMLElement {
    return table([
        ["class", "frames", "recall", "precision", "F1"],
        ...frames.classes.map(
            (c) => [c.name, c.n_true.toLocaleString("en"), percent(c.recall), percent(c.precision), number(c.f1, 3)]),
    ]);
}

// Events by what the device reported first. Follows the threshold; linked: these are the events of the chosen one, as the
// mistakes are.
export function eventMatrix(data: Data, events: Position|Events, linked: boolean): HTMLElement {
    const classes = data.metrics.classes;
    const chosen = classes.map((_, k) => k).filter((k) => classes[k].event);
    const last = classes.length;
    const order = [...chosen, last];
    const names = chosen.map((k) => classes[k].name);
    const cells = order.map((i) => order.map((j) => (i === last && j === last ? null : events.confusion![i][j])));
    const index = (i: number) => chosen[i] ?? -1;
    const at = linked && data.mistakes ? (i: number, j: number) => mistakesAt("test", index(i), index(j)) : null;
    return make(
        "div", {}, matrix([...names, "no event"], [...names, "no report"], cells, "events", at),
        make(
            "p", {class: "note"},
            "Rows: what happened. Columns: what the device reported first. The row “no event” holds false reports, " +
                "the column “no report” missed events. Reports inside events already reported are in no cell: " +
                `${events.repeats + events.duplicates}.`));
}

export function confusionSection(data: Data): HTMLElement|null {
    const frames = data.metrics.test.integer.frames;
    const names = data.metrics.classes.map((c) => c.name);
    if (!frames.confusion) return null;
    return section(
        "Frames",
        make("p", {}, "Every labelled frame by the class that the model prefers, before the decision layer."),
        matrix(
            names, names, frames.confusion, "frames",
            data.mistakes && !data.metrics.has_events ? (i, j) => mistakesAt("test", i, j) : null),
        perClass(frames));
}

function trivialRow(name: string, r: Result, hasEvents: boolean): string[] {
    const e = r.events;
    return [
        name,
        percent(r.frames.accuracy),
        percent(r.frames.balanced_accuracy),
        number(r.frames.macro_f1, 3),
        ...(hasEvents && e ?
                [
                    percent(e.fnr), percent(e.fcr), rate(e.fp_per_hour), number(e.f1, 3), number(e.iou50_f1, 3),
                    percent(e.false_active_share)
                ] :
                []),
    ];
}

export function trivialSection(data: Data): HTMLElement {
    const m = data.metrics;
    const head = [
        "detector", "frames right", "balanced", "macro F1",
        ...(m.has_events ? ["missed", "wrong class", "FP per hour", "event F1", "IoU-0.5 F1", "falsely active"] : [])
    ];
    return section(
        "Compared with detectors that look at nothing",
        make(
            "p", {},
            "“Always” says one class for ever; the clock knows only the time since the recording began. Where one of " +
                "them comes close to the model, that figure says little about the model: look at the other columns."),
        table(
            [
                head,
                trivialRow("this model, int8", m.test.integer, m.has_events),
                ...(m.test.float ? [trivialRow("the same in float", m.test.float, m.has_events)] : []),
                ...m.trivial.map((t) => trivialRow(t.name, t, m.has_events)),
            ],
            "compare"),
    );
}

// Who fares worst comes first: by lost events, then by false positives; without events by the share of right frames.
export function peopleSection(data: Data): HTMLElement {
    const hasEvents = data.metrics.has_events;
    const lost = (p: Person) => p.events?.fnr_plus_fcr ?? 0;
    const people = [...data.metrics.test.integer.people ?? []].sort(
        (x, y) => lost(y) - lost(x) || (y.events?.fp_per_hour ?? 0) - (x.events?.fp_per_hour ?? 0) ||
            (x.accuracy ?? 1) - (y.accuracy ?? 1));
    const windows = people.some((p) => p.window_accuracy !== undefined);
    const row = (p: Person) => {
        const cells = [p.name];
        if (hasEvents && p.events) cells.push(...eventCells(p.events));
        cells.push(p.n_frames.toLocaleString("en"), percent(p.accuracy), number(p.macro_f1, 3));
        return windows ? [...cells, percent(p.window_accuracy)] : cells;
    };
    return section(
        "Test people one by one, the worst first",
        table([
            [
                "person", ...(hasEvents ? EVENT_COLUMNS : []), "frames", "frames right", "macro F1",
                ...(windows ? ["windows right"] : [])
            ],
            ...people.map(row)
        ]));
}

const EVENT_COLUMNS = [
    "events", "found", "wrong class", "missed", "false positives", "FP per hour", "latency, median", "95 % within",
    "found in time", "event F1", "IoU-0.5 F1"
];

function eventCells(e: EventCounts): string[] {
    return [
        ...[e.n_events, e.true_positives, e.wrong_class, e.missed, e.false_positives].map(String),
        rate(e.fp_per_hour),
        seconds(e.latency.median_s),
        seconds(e.latency.p95_s),
        percent(e.deadline_recall),
        number(e.f1, 3),
        number(e.iou50_f1, 3),
    ];
}

export function classSection(data: Data): HTMLElement|null {
    const classes = data.metrics.test.integer.events?.classes;
    if (!classes) return null;
    return section(
        "Events class by class",
        make("p", {}, "False positives count for the class that was reported, all others for the class that happened."),
        table([["class", ...EVENT_COLUMNS], ...classes.map((c) => [c.name, ...eventCells(c)])]));
}

// Follows the threshold.
export function latencyBars(latency: Latency): HTMLElement {
    const {first_s, width_s, counts} = latency.histogram;
    if (counts.length === 0) return make("p", {class: "missing"}, "No event is found.");
    const most = Math.max(...counts);
    const bars = counts.map((n, i) => {
        const from = first_s + i * width_s;
        const bar = make(
            "div",
            {class: "bar", title: `${n} events between ${from.toFixed(1)} and ${(from + width_s).toFixed(1)} s`});
        bar.style.height = (100 * n) / most + "%";
        return bar;
    });
    return make(
        "div", {},
        make(
            "p", {},
            `From the start of an event to its report: mean ${number(latency.mean_s)} s, half within ${
                number(latency.median_s)} s, 95 % within ${number(latency.p95_s)} s. Below 0: before the labelled start.`),
        make("div", {class: "histogram"}, ...bars),
        make(
            "div", {class: "ends"}, make("span", {}, first_s.toFixed(1) + " s"),
            make("span", {}, `greatest bar: ${most} events`),
            make("span", {}, (first_s + counts.length * width_s).toFixed(1) + " s")),
    );
}

// Keys of footprint.json in words; any other key is shown as it is.
const FOOTPRINT_WORDS: Record<string, string> = {
    code_bytes: "code (bytes of flash)",
    weight_bytes: "weights (bytes of flash)",
    flash_bytes: "flash, code and weights (bytes)",
    state_bytes: "RAM, state (bytes)",
    stack_bytes: "stack, measured (bytes)",
    stack_static_bytes: "stack, upper bound (bytes)",
    insn_per_frame: "instructions per frame, average",
    insn_worst_frame: "instructions per frame, worst",
    insn_per_decision: "instructions per decision, average",
    insn_per_run: "instructions each time it runs",
    verified_frames: "frames compared with the reference",
    mismatches: "frames that differ from it",
};

function inWords(key: string): string {
    return FOOTPRINT_WORDS[key] ?? key.replace(/_/g, " ");
}

function footprintValue(value: unknown): string {
    if (typeof value !== "number") return typeof value === "string" ? value : JSON.stringify(value);
    return value.toLocaleString("en", {maximumFractionDigits: 1});
}

function isList(value: unknown): value is Record<string, unknown>[] {
    return Array.isArray(value) && value.length > 0 &&
        value.every((item) => typeof item === "object" && item !== null && !Array.isArray(item));
}

// Flash and RAM by what they hold.
function sizes(footprint: Record<string, unknown>): HTMLElement {
    const bytes = (key: string) => (typeof footprint[key] === "number" ? (footprint[key] as number) : 0);
    const stack = bytes("stack_static_bytes") || bytes("stack_bytes");
    const bar = (name: string, parts: [string, number][], all: number) => {
        const segments = parts.filter(([, n]) => n > 0).map(([what, n], i) => {
            const part = make("span", {class: `part part${i}`, title: `${what}: ${n.toLocaleString("en")} bytes`}, what);
            part.style.flexGrow = String(n);
            return part;
        });
        return make(
            "div", {class: "sizes"}, make("span", {class: "what"}, `${name}, ${all.toLocaleString("en")} bytes`),
            make("div", {class: "stacked"}, ...segments));
    };
    const flash: [string, number][] = [["weights", bytes("weight_bytes")], ["code", bytes("code_bytes")]];
    const ram: [string, number][] = [["state", bytes("state_bytes")], ["stack", stack]];
    const sum = (parts: [string, number][]) => parts.reduce((all, [, n]) => all + n, 0);
    return sum(flash) === 0 ? make("div") : make("div", {}, bar("flash", flash, sum(flash)), bar("RAM", ram, sum(ram)));
}

export function footprintSection(data: Data): HTMLElement {
    const footprint = data.footprint;
    if (!footprint)
        return section(
            "Footprint", make("p", {class: "missing"}, "Not measured yet: run the stage deploy, then report again."));
    const plain = Object.entries(footprint).filter(([, value]) => !isList(value));
    const lists =
        Object.entries(footprint).filter((entry): entry is[string, Record<string, unknown>[]] => isList(entry[1]));
    return section(
        "Footprint on the device", sizes(footprint),
        table([["", "measured"], ...plain.map(([key, value]) => [inWords(key), footprintValue(value)])], "facts"),
        ...lists.flatMap(([key, list]) => {
            const all = [...new Set(list.flatMap((item) => Object.keys(item)))];
            const keys = [...all.filter((k) => k === "name"), ...all.filter((k) => k !== "name")];
            return [
                make("h3", {}, inWords(key)),
                table([keys.map(inWords), ...list.map((item) => keys.map((k) => footprintValue(item[k] ?? "")))]),
            ];
        }),
    );
}

function setting(value: Setting): string {
    return Array.isArray(value) ? value.map((m) => `${m.class} ${m.early_ms}/${m.late_ms}`).join(" ") : String(value);
}

export function lineageSection(data: Data): HTMLElement {
    const m = data.metrics;
    return section(
        "Where these figures come from",
        table(
            [
                ["", ""],
                ["tool", "tinamou " + m.tool_version],
                ["dataset", m.dataset],
                ["data hash", m.data_hash],
                ["model hash (int8)", m.model_hash],
                ["input", `${m.rate_hz} frames per second, a decision every ${m.hop}` +
                    (m.delay ? `, about the frame ${m.delay} earlier (${(m.delay / m.rate_hz).toFixed(2)} s)` : "")],
                ["settings", Object.entries(m.settings).map(([key, value]) => `${key} ${setting(value)}`).join(", ")],
            ],
            "facts",
            ),
        data.files.length > 0 ?
            make(
                "details", {}, make("summary", {}, "Files of the run and their SHA-256"),
                table([["file", "stage", "SHA-256"], ...data.files.map(([stage, name, hash]) => [name, stage, hash])], "hashes")) :
            null,
        data.config ? make("details", {}, make("summary", {}, "Configuration"), make("pre", {}, data.config)) : null,
        make(
            "p", {class: "note"},
            "Definitions of all figures: docs/metrics.md. All numbers of this page: metrics.json and sweep.csv."),
    );
}
