// What `tinamou data stats` counted, and the signals to browse.

import "dygraphs/dygraph.css";
import "../../page/page.css";
import "./inspect.css";

import Dygraph from "dygraphs/dygraph.min.js";

import type {Figure} from "../../page/page";
import {choice, colour, grid, make, number, percent, plural, redrawOnScheme, section, table} from "../../page/page";
import type {Embedded} from "./browser";
import {Browser} from "./browser";
import type {Head} from "../../page/painter";

interface Durations {
    min_s: number;
    median_s: number;
    mean_s: number;
    max_s: number;
    ratio: number;
    counts: number[];
}

interface ClassStats {
    name: string;
    event: boolean;
    labels: number;
    seconds: number;
    share: Figure;
    people: number;
    roles: {train: number; validation: number; test: number};
    durations: Durations|null;
}

interface Person {
    name: string;
    role: string;
    streams: number;
    seconds: number;
    class_seconds: number[];  // the last one: no class
    class_labels: number[];
}

interface Stream {
    id: string;
    subject: string;
    role: string;
    seconds: number;
    labels: number;
    source_rate_hz: Figure;
    source_jitter_s: Figure;
    source_gaps: number;
    source_duplicates: number;
    clipped_values: number;
}

interface Data extends Head {
    title: string;
    most_bytes: number;
    report: {
        dataset: {name: string; hash: string; rate_hz: number; seconds: number; streams: number; people: number};
        classes: ClassStats[];
        no_class: {seconds: number; share: Figure};
        roles: {name: string; people: number; streams: number; labels: number; seconds: number}[];
        people: Person[];
        streams: Stream[];
        spectra: {step_hz: number; channels: string[]; classes: {class: string; segments: number; density: number[][]}[]};
    };
    signals: Embedded[];
}

const MOST_ROWS = 400;  // of a table of recordings

// Seconds as people say them.
function time(value: number): string {
    return value >= 7200 ? (value / 3600).toFixed(1) + "\u00a0h" :
        value >= 600     ? (value / 60).toFixed(0) + "\u00a0min" :
        value >= 100     ? value.toFixed(0) + "\u00a0s" :
        value >= 10      ? value.toFixed(1) + "\u00a0s" :
                           value.toFixed(2) + "\u00a0s";
}

function head(data: Data): HTMLElement {
    const d = data.report.dataset;
    const parts = data.report.roles.map((r) => `${r.name} ${plural(r.people, "person").replace("persons", "people")}, ` +
                                            `${time(r.seconds)}`);
    return make(
        "header", {}, make("h1", {}, data.title + ": what is in the data"),
        make(
            "p", {},
            `${plural(d.streams, "recording")} of ${plural(d.people, "person").replace("persons", "people")}, ` +
                `${time(d.seconds)} at ${d.rate_hz} frames per second. Parts: ${parts.join("; ")}.`),
        make("p", {class: "note"}, "dataset " + d.hash.slice(0, 12)));
}

function histogram({counts, min_s, ratio, max_s}: Durations): HTMLElement {
    const most = Math.max(...counts);
    const bars = counts.map((n, i) => {
        const title = `${time(min_s * ratio ** i)} to ${time(min_s * ratio ** (i + 1))}: ${n}`;
        return make("div", {class: "bar", style: `height:${(100 * n) / most}%`, title});
    });
    return make(
        "div", {}, make("div", {class: "histogram small"}, ...bars),
        make("div", {class: "ends"}, make("span", {}, time(min_s)), make("span", {}, time(max_s))));
}

function classSection(data: Data): HTMLElement {
    const {classes, no_class: none} = data.report;
    const rows = classes.map(
        (c) =>
            [c.name + (c.event ? " (event)" : ""),
             String(c.labels),
             time(c.seconds),
             percent(c.share),
             c.durations ? time(c.durations.min_s) : "–",
             c.durations ? time(c.durations.median_s) : "–",
             c.durations ? time(c.durations.max_s) : "–",
             String(c.people),
             time(c.roles.train),
             time(c.roles.validation),
             time(c.roles.test),
    ]);
    if (none.seconds > 0)
        rows.push(["no class", "", time(none.seconds), percent(none.share), "", "", "", "", "", "", ""]);
    const charts = classes.filter((c) => c.durations !== null && c.labels > 1)
                       .map((c) => make("div", {}, make("h3", {}, c.name), histogram(c.durations!)));
    return section(
        "Classes",
        table(
            [
                ["class", "labels", "time", "share", "shortest", "median", "longest", "people", "train", "validation", "test"],
                ...rows
            ],
            "classes"),
        charts.length > 0 ? make("p", {class: "note"}, "How long the labels are; bins of equal ratio.") : null,
        make("div", {class: "small-multiples"}, ...charts));
}

// One row a person; the darker, the more time of the class compared with the person who has most.
function peopleSection(data: Data): HTMLElement {
    const {people, classes} = data.report;
    const most = classes.map((_, k) => Math.max(...people.map((p) => p.class_seconds[k])));
    const rows = people.slice(0, MOST_ROWS).map((p) => {
        const cells = classes.map((_, k) => {
            const share = most[k] > 0 ? p.class_seconds[k] / most[k] : 0;
            return make(
                "span", {class: "share", style: `--share:${share.toFixed(3)}`, title: plural(p.class_labels[k], "label")},
                p.class_seconds[k] > 0 ? time(p.class_seconds[k]) : "–");
        });
        return [p.name, p.role, String(p.streams), time(p.seconds), ...cells];
    });
    return section(
        "People",
        make("p", {class: "note"}, "Time per class; the fuller, the nearer to the person who has most of it."),
        table([["person", "part", "recordings", "time", ...classes.map((c) => c.name)], ...rows], "people"));
}

function spectrumSection(data: Data): HTMLElement {
    const {step_hz, channels, classes} = data.report.spectra;
    const shown = classes.filter((c) => c.segments > 0);
    if (shown.length === 0) return section("Spectra", make("p", {class: "missing"}, "No label is long enough."));
    const chart = make("div", {class: "chart tall"});
    const legend = make("div", {class: "legend"});
    let channel = 0;
    let graph: Dygraph|null = null;
    const draw = () => {
        graph?.destroy();
        // the mean was taken out: the first value says nothing
        const rows = shown[0].density[channel].slice(1).map(
            (_, i) => [(i + 1) * step_hz,
                       ...shown.map((c) => 10 * Math.log10(Math.max(c.density[channel][i + 1], 1e-15)))]);
        const unit = data.channels[channel].unit;
        graph = new Dygraph(chart, rows, {
            ...grid(),
            labels: ["frequency (Hz)", ...shown.map((c) => c.class)],
            colors: shown.map((_, i) => colour(i)),
            ...Object.fromEntries(shown.map((c, i) => [c.class, {strokePattern: i >= 6 ? [5, 3] : null}])),
            xlabel: "frequency (Hz)",
            ylabel: `dB of (${unit})² / Hz`,
            labelsDiv: legend,
            legend: "always",
            strokeWidth: 1.5,
            digitsAfterDecimal: 1,
            axes: {y: {axisLabelWidth: 44}},
        });
    };
    const picker = choice("channel", channels, (i) => {
        channel = i;
        draw();
    });
    queueMicrotask(() => redrawOnScheme(draw));
    const few = Math.max(...shown.map((c) => c.segments));
    return section(
        "Spectra",
        make(
            "p", {},
            "Power density per class: mean over windows of " + time(1 / step_hz) + ` (Welch), at most ${few} per class, ` +
                "spread over all recordings. Classes that look alike on every channel can only be told apart by time."),
        make("div", {class: "pick"}, picker), chart, legend);
}

function streamSection(data: Data): HTMLElement {
    const {streams} = data.report;
    const inPage = new Set(data.signals.map((s) => s.index));
    const link = (s: Stream, i: number) =>
        inPage.has(i) ? make("a", {href: "#stream=" + encodeURIComponent(s.id)}, s.id) : s.id;
    const rows = streams.slice(0, MOST_ROWS).map(
        (s, i) =>
            [link(s, i),
             s.subject,
             s.role,
             time(s.seconds),
             String(s.labels),
             s.source_rate_hz === null ? "–" : number(s.source_rate_hz, 2),
             s.source_jitter_s === null ? "–" : number(1000 * s.source_jitter_s, 2),
             String(s.source_gaps),
             String(s.source_duplicates),
             String(s.clipped_values),
    ]);
    return section(
        "Recordings",
        make("p", {class: "note"}, "Rate, jitter, gaps and repeated times are those of the source's clock, before resampling."),
        table(
            [
                [
                    "recording", "person", "part", "time", "labels", "source Hz", "jitter ms", "gaps", "repeated times",
                    "out of range"
                ],
                ...rows
            ],
            "recordings"),
        streams.length > rows.length ?
            make("p", {class: "note"}, `The first ${rows.length} of ${streams.length}; --json has all.`) :
            null);
}

function browser(data: Data): HTMLElement {
    const ids = data.report.streams.map((s) => s.id);
    if (data.signals.length === 0) return section("Signals", make("p", {class: "missing"}, "No recording."));
    const out = ids.length - data.signals.length;
    const size = (data.most_bytes / (1 << 20)).toFixed(0);
    const coarse = data.signals.filter((s) => s.columns < s.n_frames).length;
    const leftOut = (out > 0 ? `${plural(out, "recording")} of ${ids.length} left out: a page holds ${size} MB of signals. ` +
                             "--stream ID puts one in. " :
                               "All recordings are in the page. ") +
        (coarse > 0 ? `Of ${plural(coarse, "long recording")} it holds least and greatest values only.` : "");
    return new Browser(data, ids, data.signals, leftOut).element;
}

function start(): void {
    const data = JSON.parse(document.getElementById("data")!.textContent!) as Data;
    document.title = "Tinamou: " + data.title + ", statistics";
    document.getElementById("page")!.replaceChildren(
        head(data), browser(data), classSection(data), peopleSection(data), spectrumSection(data), streamSection(data));
}

start();
