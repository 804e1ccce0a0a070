// The central figure: what happens when the threshold moves.

import Dygraph from "dygraphs/dygraph.min.js";
import type {Figure} from "../../page/page";
import type {Data, Rule, Table} from "./data";
import {colour, grid, make, number, percent, plural, rate, redrawOnScheme, seconds, section, table, theme} from "../../page/page";

const SETS = ["test", "validation"] as const;
type Set = (typeof SETS)[number];

class Sweep {
    private readonly index = new Map<string, number>();
    constructor(private readonly source: Table) {
        source.columns.forEach((name, i) => this.index.set(name, i));
    }
    get length(): number {
        return this.source.rows.length;
    }
    get(row: number, column: string): Figure {
        const i = this.index.get(column);
        return i === undefined ? null : this.source.rows[row][i];
    }
    // The row that behaves as threshold `on` does: the lowest attainable value that is not below it.
    rowOf(on: number): number {
        for (let i = 0; i < this.length; i++)
            if ((this.get(i, "on") ?? 0) >= on) return i;
        return this.length - 1;
    }
}

function timesHundred(value: Figure): Figure {
    return value === null ? null : 100 * value;
}

function figureTable(sweep: Sweep, row: number): HTMLElement {
    const line = (title: string, show: (set: Set) => string) => [title, show("test"), show("validation")];
    const value = (set: Set, name: string) => sweep.get(row, set + "_" + name);
    const count = (set: Set, name: string) => number(value(set, name), 0);
    return table(
        [
            ["at this threshold", "test people", "validation people"],
            line("events found", (s) => count(s, "true") + " of " + count(s, "events")),
            line("missed, FNR", (s) => percent(value(s, "fnr"))),
            line("wrong class, FCR", (s) => percent(value(s, "fcr"))),
            line(
                "false positives per hour, FPR",
                (s) => rate(value(s, "fp_per_hour")) + " (" + count(s, "false_positives") + ")"),
            line("mean latency", (s) => seconds(value(s, "latency_mean_s"))),
            line("event F1", (s) => number(value(s, "event_f1"), 3)),
            line("IoU-0.5 F1", (s) => number(value(s, "iou50_f1"), 3)),
        ],
        "figures",
    );
}

// Thresholds where nothing is found are of no use, nor those with hundreds of false positives per hour: the first view
// leaves both out.
function firstView(sweep: Sweep, chosen: number): [number, number] {
    const logit = (i: number) => sweep.get(i, "on_logit") ?? 0;
    let low = 0;
    let high = sweep.length - 1;
    const useful = (i: number) => (sweep.get(i, "test_true") ?? 0) > 0;
    while (low < chosen && (!useful(low) || (sweep.get(low, "test_fp_per_hour") ?? 0) > 150)) low++;
    while (high > chosen && !useful(high)) high--;
    const pad = 0.05 * (logit(high) - logit(low)) + 0.05;
    return [logit(low) - pad, logit(high) + pad];
}

function latencyRange(rows: (number|null)[][]): [number, number] {
    const values = rows.map((row) => row[4]).filter((v): v is number => v !== null);
    const low = Math.min(0, ...values);
    const high = Math.max(0.1, ...values);
    return [low, high + 0.1 * (high - low)];
}

function verticalLine(
    canvas: CanvasRenderingContext2D, area: {y: number; h: number}, at: number, style: string, dash: number[]): void {
    canvas.save();
    canvas.strokeStyle = style;
    canvas.lineWidth = 2;
    canvas.setLineDash(dash);
    canvas.beginPath();
    canvas.moveTo(at, area.y);
    canvas.lineTo(at, area.y + area.h);
    canvas.stroke();
    canvas.restore();
}

// One radio button per set of people.
function peoplePicker(first: Set, changed: (set: Set) => void): HTMLElement {
    const picker = make("fieldset", {class: "pick"}, make("legend", {}, "curves of the"));
    for (const name of SETS) {
        const radio = make("input", {type: "radio", name: "sweep-set", value: name}) as HTMLInputElement;
        radio.checked = name === first;
        radio.addEventListener("change", () => changed(name));
        picker.append(make("label", {}, radio, " " + name + " people"));
    }
    return picker;
}

// The thresholds of the events, each once.
function thresholds(rule: Rule): number[] {
    return [...new Set(rule.on.filter((on): on is number => on !== null))];
}

function ruleInWords(rule: Rule): string {
    const when = rule.needed === 1       ? "at the first decision" :
        rule.needed === rule.of ? `after ${rule.needed} decisions in a row` :
                                  `after ${rule.needed} of the last ${rule.of} decisions`;
    return `Rule on the device: a report ${when} at or above ${thresholds(rule).join(" or ")} ` +
        `(1/256 logit${thresholds(rule).length > 1 ? ", by class" : ""}), active until ${rule.hysteresis} below; ` +
        (rule.smooth_shift > 0 ? `scores smoothed over about ${2 ** rule.smooth_shift} decisions; ` :
                                 "scores as they are; ") +
        (rule.lead > 0 ? `another event takes over when it leads by ${rule.lead}; ` : "") +
        (rule.min_length > 1 ? `an event lasts ${plural(rule.min_length, "decision")} at least; ` : "") +
        (rule.refractory > 0 ? `at least ${plural(rule.refractory, "decision")} between two reports.` :
                               "no pause after a report.");
}

export function thresholdSection(data: Data): HTMLElement {
    const rule: Rule = data.metrics.summary.rule;
    if (!data.sweep || data.sweep.rows.length < 2)
        return section(
            "Threshold",
            make(
                "p", {class: "missing"},
                "No threshold to show: " +
                    (data.metrics.has_events ? "sweep.csv is missing. Run the stage evaluate again." :
                                               "no class of this model is an event.")));
    const sweep = new Sweep(data.sweep);
    const chosen = sweep.rowOf(thresholds(rule)[0]);
    const chart = make("div", {class: "chart tall"});
    const legend = make("div", {class: "legend"});
    const readout = make("div", {});
    const where = make("output", {});
    const slider = make("input", {
                       type: "range",
                       min: "0",
                       max: String(sweep.length - 1),
                       value: String(chosen),
                       "aria-label": "threshold"
                   }) as HTMLInputElement;
    let set: Set = "test";
    let row = chosen;
    let graph: Dygraph|null = null;

    const logit = (i: number) => sweep.get(i, "on_logit") ?? 0;
    const draw = () => {
        const dateWindow = graph ? graph.xAxisRange() : firstView(sweep, chosen);
        graph?.destroy();
        const rows = data.sweep!.rows.map(
            (_, i) =>
                [logit(i),
                 timesHundred(sweep.get(i, set + "_fnr")),
                 timesHundred(sweep.get(i, set + "_fcr")),
                 sweep.get(i, set + "_fp_per_hour"),
                 sweep.get(i, set + "_latency_mean_s"),
        ]);
        graph = new Dygraph(chart, rows, {
            ...grid(),
            labels: [
                "threshold", "FNR, missed (%)", "FCR, wrong class (%)", "FPR (false positives per hour)",
                "latency (s, right axis)"
            ],
            colors: [colour(0), colour(1), colour(2), colour(3)],
            series: {"latency (s, right axis)": {axis: "y2", strokePattern: [6, 3]}},
            axes: {
                y: {valueRange: [0, 102], axisLabelWidth: 44},
                y2: {valueRange: latencyRange(rows), drawGrid: false, independentTicks: true, axisLabelWidth: 44}
            },
            dateWindow,
            xlabel: "threshold (logit margin)",
            ylabel: "% of events; FP per hour (cut at 100)",
            y2label: "latency (s)",
            strokeWidth: 2,
            labelsDiv: legend,
            legend: "always",
            digitsAfterDecimal: 2,
            underlayCallback: (canvas: CanvasRenderingContext2D, area: {y: number; h: number}, g: Dygraph) => {
                verticalLine(canvas, area, g.toDomXCoord(logit(chosen)), theme("--text"), []);
                if (row !== chosen) verticalLine(canvas, area, g.toDomXCoord(logit(row)), theme("--accent"), [4, 4]);
            },
        });
    };
    const move = () => {
        row = Number(slider.value);
        where.textContent = logit(row).toFixed(2) + (row === chosen ? " (chosen)" : "");
        readout.replaceChildren(figureTable(sweep, row));
        graph?.updateOptions({});
    };
    slider.addEventListener("input", move);
    const back = make("button", {type: "button"}, "back to the chosen one");
    back.addEventListener("click", () => {
        slider.value = String(chosen);
        move();
    });
    const people = peoplePicker(set, (name) => {
        set = name;
        draw();
    });
    const result = section(
        "Threshold: what it costs to be stricter",
        make(
            "p", {},
            "Further right the device asks for more evidence: fewer false positives, more missed events. The solid " +
                "line marks the threshold that was chosen on the validation people, out of " +
                data.metrics.rules_compared.toLocaleString("en") + " rules; the test people had no part in it. " +
                "Drag over the chart to zoom, double-click to see all."),
        people, chart, legend, make("div", {class: "slider"}, make("label", {}, "threshold ", slider), where, back),
        readout, make("p", {class: "note"}, ruleInWords(rule)));
    // dygraphs measures its element, which must be in the page
    queueMicrotask(() => {
        redrawOnScheme(draw);
        move();
    });
    return result;
}
