// The central figure: what happens when the threshold moves.

import Dygraph from "dygraphs/dygraph.min.js";
import type {Data, Pair, Position, Rule, Setting} from "./data";
import type {Positions} from "./positions";
import {eventMatrix, latencyBars} from "./tables";
import {colour, grid, make, number, percent, plural, range, rate, redrawOnScheme, seconds, section, table, theme} from "../../page/page";

const SETS = ["test", "validation"] as const;
type Set = (typeof SETS)[number];

function hundred(value: number|null): number|null {
    return value === null ? null : 100 * value;
}

// What is known of a share that so few events gave, small beside it.
function with95(shown: string, bounds: Pair, show: (value: number|null) => string): Node {
    const cell = make("span", {}, shown);
    const text = range("", bounds, show);
    if (text !== "") cell.append(" ", make("small", {title: "95 % interval of the count alone"}, text));
    return cell;
}

function figureTable(positions: Positions, deadline: string): HTMLElement {
    const line = (title: string, show: (p: Position) => Node | string) =>
        [title, ...SETS.map((set) => show(positions.figures(set)))];
    return table(
        [
            ["at this threshold", "test people", "validation people"],
            line("events found", (p) => `${p.true_positives} of ${p.n_events}`),
            line("missed, FNR", (p) => with95(percent(p.fnr), p.fnr_exact_95, percent)),
            line("wrong class, FCR", (p) => with95(percent(p.fcr), p.fcr_exact_95, percent)),
            line(
                "false positives per hour, FPR",
                (p) => with95(`${rate(p.fp_per_hour)} (${p.false_positives})`, p.fp_per_hour_exact_95, rate)),
            line(
                "found within " + deadline,
                (p) => with95(percent(p.deadline_recall), p.deadline_recall_exact_95, percent)),
            line("latency, mean", (p) => seconds(p.latency.mean_s)),
            line("latency, 95 % within", (p) => seconds(p.latency.p95_s)),
            line("event F1", (p) => number(p.f1, 3)),
            line("IoU-0.5 F1", (p) => number(p.iou50_f1, 3)),
        ],
        "figures",
    );
}

// Where hundreds of false positives per hour are said or nothing is found, there is nothing to see at first.
function firstView(positions: Positions): [number, number] {
    let low = 0;
    let high = positions.length - 1;
    const dull = (i: number) => positions.figures("test", i).true_positives === 0;
    while (low < positions.chosen && (dull(low) || (positions.figures("test", low).fp_per_hour ?? 0) > 150)) low++;
    while (high > positions.chosen && dull(high - 1)) high--;
    const pad = 0.04 * (positions.logit(high) - positions.logit(low)) + 0.02;
    return [positions.logit(low) - pad, positions.logit(high) + pad];
}

function latencyRange(rows: (number|null)[][]): [number, number] {
    const values = rows.map((row) => row[4]).filter((v): v is number => v !== null);
    const low = Math.min(0, ...values);
    const high = Math.max(0.1, ...values);
    return [low, high + 0.1 * (high - low)];
}

function chosenLine(canvas: CanvasRenderingContext2D, area: {y: number; h: number}, at: number): void {
    canvas.save();
    canvas.strokeStyle = theme("--text");
    canvas.lineWidth = 1.5;
    canvas.setLineDash([2, 3]);
    canvas.beginPath();
    canvas.moveTo(at, area.y);
    canvas.lineTo(at, area.y + area.h);
    canvas.stroke();
    canvas.restore();
}

// The curves of one set of people, with a line at the threshold that the mouse takes along.
class Curves {
    readonly chart = make("div", {class: "chart tall"});
    readonly legend = make("div", {class: "legend"});
    readonly handle = make("div", {class: "handle", title: "drag the threshold"});
    set: Set = "test";
    private graph: Dygraph|null = null;

    constructor(private readonly positions: Positions) {
        this.handle.addEventListener("pointerdown", (down) => {
            down.preventDefault();
            this.handle.setPointerCapture(down.pointerId);
        });
        this.handle.addEventListener("pointermove", (moved) => {
            if (!this.graph || !this.handle.hasPointerCapture(moved.pointerId)) return;
            const x = moved.clientX - this.chart.getBoundingClientRect().left;
            positions.move(positions.nearest(this.graph.toDataXCoord(x)));
        });
    }

    draw(): void {
        const {positions, set} = this;
        const dateWindow = this.graph ? this.graph.xAxisRange() : firstView(positions);
        this.graph?.destroy();
        this.graph = null;  // the new one calls `moved` before it is there
        const rows = Array.from({length: positions.length}, (_, i) => {
            const p = positions.figures(set, i);
            return [positions.logit(i), hundred(p.fnr), hundred(p.fcr), p.fp_per_hour, p.latency.mean_s];
        });
        this.graph = new Dygraph(this.chart, rows, {
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
            xlabel: positions.isCommon ? "threshold (logit margin)" : "added to the threshold of every class (logits)",
            ylabel: "% of events; FP per hour (cut at 100)",
            y2label: "latency (s)",
            strokeWidth: 2,
            labelsDiv: this.legend,
            legend: "always",
            digitsAfterDecimal: 2,
            underlayCallback: (canvas: CanvasRenderingContext2D, area: {y: number; h: number}, g: Dygraph) =>
                chosenLine(canvas, area, g.toDomXCoord(positions.logit(positions.chosen))),
            drawCallback: () => this.moved(),
        });
        this.chart.append(this.handle);
        this.moved();
    }

    // Puts the line where the threshold is.
    moved(): void {
        if (!this.graph) return;
        const area = this.graph.getArea();
        const x = this.graph.toDomXCoord(this.positions.logit(this.positions.index));
        this.handle.hidden = x < area.x || x > area.x + area.w;
        this.handle.style.left = x + "px";
        this.handle.style.top = area.y + "px";
        this.handle.style.height = area.h + "px";
    }
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

// The slider that stays in sight while one looks at what follows it.
function bar(positions: Positions): HTMLElement {
    const where = make("output", {});
    const told = make("span", {class: "told", "aria-live": "polite"});
    const slider = make("input", {
                       type: "range",
                       min: "0",
                       max: String(positions.length - 1),
                       value: String(positions.index),
                       "aria-label": "threshold"
                   }) as HTMLInputElement;
    slider.addEventListener("input", () => positions.move(Number(slider.value)));
    const back = make("button", {type: "button"}, "chosen");
    back.addEventListener("click", () => positions.move(positions.chosen));
    positions.follow(() => {
        const p = positions.figures("test");
        slider.value = String(positions.index);
        where.textContent = positions.inWords(positions.index);
        slider.setAttribute("aria-valuetext", where.textContent);
        told.textContent = `missed ${percent(p.fnr)} · wrong ${percent(p.fcr)} · false ${rate(p.fp_per_hour)}/h · ` +
            `after ${seconds(p.latency.mean_s)}`;
    });
    return make("div", {class: "slider"}, make("label", {}, "threshold ", slider), where, back, told);
}

// Who the validation people are where nobody was set apart.
function crossValidation(parts: Setting|undefined): string {
    return parts === undefined ? "" :
                                 "Validation people are here all others: each is judged by one of " + parts +
            " models, which did not see that person in training, while the model of this report was trained on all of them. ";
}

export function thresholdSection(data: Data, positions: Positions|null, timelines: HTMLElement): HTMLElement {
    const missing = data.metrics.has_events ? "scores.safetensors is missing. Run the stage evaluate again." :
                                              "no class of this model is an event.";
    if (!positions)
        return make(
            "div", {},
            section("Threshold", make("p", {class: "missing"}, "No threshold to show: " + missing)), timelines);
    const curves = new Curves(positions);
    const deadline = `${data.metrics.settings.deadline_ms} ms`;
    const readout = make("div", {});
    const matrix = make("div", {});
    const latency = make("div", {});
    positions.follow(() => {
        readout.replaceChildren(figureTable(positions, deadline));
        matrix.replaceChildren(eventMatrix(data, positions.figures("test"), positions.index === positions.chosen));
        latency.replaceChildren(latencyBars(positions.figures("test").latency));
    });
    const people = peoplePicker(curves.set, (name) => {
        curves.set = name;
        curves.draw();
    });
    // dygraphs measures its element, which must be in the page
    queueMicrotask(() => {
        redrawOnScheme(() => curves.draw());
        positions.follow(() => curves.moved());
    });
    return make(
        "div", {class: "figure3"}, bar(positions),
        section(
            "Threshold: what it costs to be stricter",
            make(
                "p", {},
                "Further right the device asks for more evidence: fewer false positives, more missed events. The " +
                    "dotted line marks the threshold that was chosen on the validation people, out of " +
                    data.metrics.rules_compared.toLocaleString("en") + " rules; the test people had no part in it. " +
                    crossValidation(data.metrics.settings.cross_validation) +
                    "Drag the line, or the slider above: every figure, the confusions, the latencies and the " +
                    "timelines below are what the device does at that threshold. Drag over the chart to zoom, " +
                    "double-click to see all."),
            people, curves.chart, curves.legend,
            make(
                "div", {class: "columns"}, make("div", {}, make("h3", {}, "Figures"), readout),
                make("div", {}, make("h3", {}, "Events of the test people"), matrix)),
            make("h3", {}, "Latency"), latency, make("p", {class: "note"}, ruleInWords(data.metrics.summary.rule))),
        timelines);
}
