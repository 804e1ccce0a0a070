// The report of an evaluation. Reads the JSON in the page and builds the sections; nothing is fetched.

import "dygraphs/dygraph.css";
import "../../page/page.css";
import "./report.css";

import Dygraph from "dygraphs/dygraph.min.js";

import type {Figure} from "../../page/page";
import type {Data, Result, Table} from "./data";
import {colour, grid, make, number, percent, plural, range, rate, redrawOnScheme, seconds, section, sentence} from "../../page/page";
import {mistakeSection} from "./mistakes";
import {positionsOf} from "./positions";
import {calibrationSection} from "./calibration";
import {classSection, confusionSection, footprintSection, lineageSection, peopleSection, trivialSection} from "./tables";
import {thresholdSection} from "./threshold";
import {timelineSection} from "./timeline";
import {tuningSection} from "./tuning";

function card(value: string, title: string, note: string): HTMLElement {
    return make(
        "div", {class: "card"}, make("div", {class: "value"}, value), make("div", {class: "title"}, title),
        make("div", {class: "cardnote"}, note));
}

function duration(hours: number): string {
    return hours < 1 ? (60 * hours).toFixed(hours < 1 / 6 ? 1 : 0) + " minutes" : hours.toFixed(1) + " hours";
}

// The best of the detectors that look at nothing, by one figure.
function blindly(data: Data, of: (r: Result) => Figure | undefined, show: (value: Figure) => string, most = true): string {
    const sign = most ? 1 : -1;
    const known = data.metrics.trivial.filter((t) => typeof of (t) === "number");
    const best = known.sort((x, y) => sign * (of (y)! - of (x)!))[0];
    return best ? `${show(of (best)!)} without looking at the signals (“${best.name}”)` : "";
}

function eventCards(data: Data): HTMLElement[] {
    const e = data.metrics.test.integer.events;
    if (!e) return [];
    const lost = e.fnr === null || e.fcr === null ? null : e.fnr + e.fcr;
    const quiet = e.false_positives === 0;
    return [
        card(
            percent(e.recall, 0), "of events are found and named right",
            sentence(
                `${e.true_positives} of ${e.n_events}`, `${e.missed} missed`, `${e.wrong_class} named wrong`,
                range(`lost ${percent(lost)}, 95 %: `, e.fnr_plus_fcr_95, percent),
                blindly(data, (r) => r.events?.recall, (v) => percent(v, 0)))),
        card(
            rate(e.fp_per_hour), "false reports per hour",
            sentence(
                `${quiet ? "none" : e.false_positives} in ${duration(e.rejection_hours)} without events`,
                `with 95 % confidence below ${rate(e.fp_per_hour_below_95)} per hour`,
                quiet ? "" : range("95 % over people: ", e.fp_per_hour_95, rate))),
        card(
            seconds(e.latency.median_s), "from an event's start to its report",
            sentence(
                `half of the events that are found are reported by then; 95 % within ${seconds(e.latency.p95_s)}`,
                `${percent(e.deadline_recall)} of all are found within ${data.metrics.settings.deadline_ms} ms`,
                range("95 %: ", e.deadline_recall_95, percent))),
        card(
            number(e.iou50_f1, 3), "F1 of the times (IoU 0.5)",
            sentence("both ends of an event count", range("95 %: ", e.iou50_f1_95, (v) => number(v, 3)),
                blindly(data, (r) => r.events?.iou50_f1, (v) => number(v, 3)))),
    ];
}

function frameCard(data: Data): HTMLElement {
    const f = data.metrics.test.integer.frames;
    return card(
        percent(f.accuracy), "of the time the class is right",
        sentence(
            range("95 %: ", f.accuracy_95, percent),
            data.metrics.has_events && f.accuracy_with_margins !== null ?
                `${percent(f.accuracy_with_margins)} when borders of events are forgiven` :
                "",
            blindly(data, (r) => r.frames.accuracy, percent)));
}

function windowCards({metrics}: Data): HTMLElement[] {
    const {integer, float} = metrics.test;
    if (!integer.windows) return [];
    return [card(
        percent(integer.windows.accuracy), "of windows are right",
        sentence(
            plural(integer.windows.n_windows, "window") + " inside one label, each from a fresh start",
            range("95 %: ", integer.windows.accuracy_95, percent),
            float?.windows ? `float has ${percent(float.windows.accuracy)}` : ""))];
}

function keySection(data: Data): HTMLElement {
    const {integer: test, float} = data.metrics.test;
    const cards = [...eventCards(data), ...windowCards(data), frameCard(data)];
    if (float && float.frames.accuracy !== null && test.frames.accuracy !== null) {
        const points = 100 * (test.frames.accuracy - float.frames.accuracy);
        cards.push(card(
            (points >= 0 ? "+" : "−") + Math.abs(points).toFixed(2), "points: integers against float",
            `frame accuracy; float has ${percent(float.frames.accuracy)}`));
    }
    return make("section", {}, make("div", {class: "cards"}, ...cards));
}

function curve(title: string, source: Table): HTMLElement {
    const chart = make("div", {class: "chart"});
    const legend = make("div", {class: "legend"});
    // columns of figures in 0..1 go left, losses right; step is the axis, the learning rate would only fill the legend
    const columns = source.columns.map((name, i) => ({name, i}))
                        .filter(({name, i}) => i > 0 && !/^(lr|learning_rate|seconds)$/.test(name));
    const isLoss = (name: string) => /loss/.test(name);
    const inWords = (name: string) => name.replace(/_/g, " ");
    let graph: Dygraph|null = null;
    queueMicrotask(
        () => redrawOnScheme(() => {
            graph?.destroy();
            graph =
                new Dygraph(chart, source.rows.map((row) => [row[0], ...columns.map(({i}) => row[i])] as Figure[]), {
                    ...grid(),
                    labels: [source.columns[0], ...columns.map(({name}) => inWords(name))],
                    colors: columns.map((_, i) => colour(i)),
                    series:
                        Object.fromEntries(columns.filter(({name}) => isLoss(name))
                                               .map(({name}) => [inWords(name), {axis: "y2", strokePattern: [6, 3]}])),
                    axes: {y2: {drawGrid: false, independentTicks: true, axisLabelWidth: 44}},
                    xlabel: source.columns[0],
                    ylabel: "accuracy, F1",
                    ...(columns.some(({name}) => isLoss(name)) ? {y2label: "loss"} : {}),
                    connectSeparatedPoints: true,
                    strokeWidth: 2,
                    labelsDiv: legend,
                    legend: "always",
                    digitsAfterDecimal: 3,
                });
        }),
    );
    return make("div", {}, make("h3", {}, title), chart, legend);
}

function curvesSection(data: Data): HTMLElement {
    const curves = [
        {title: "Training", source: data.train_curve},
        {title: "Fine-tuning with quantisation in the loop", source: data.finetune_curve},
    ].filter((c): c is {
        title: string;
        source: Table
    } => c.source !== undefined && c.source.rows.length > 0 && c.source.columns.length > 1);
    if (curves.length === 0)
        return section(
            "Learning curves",
            make("p", {class: "missing"}, "No learning curves: the training's files are not in this folder."));
    return section("Learning curves", make("div", {class: "columns"}, ...curves.map((c) => curve(c.title, c.source))));
}

function head(data: Data): HTMLElement {
    const [first, ...rest] = data.words.trim().split("\n");
    const alone = (data.metrics.test.integer.people ?? []).length === 1;
    return make(
        "header", {}, make("h1", {}, data.title + ": what the user of the device will see"),
        make("p", {class: "lead"}, make("strong", {}, first), " " + rest.join(" ")),
        make(
            "p", {class: "note"},
            "Measured with the integers that run on the device. " +
                (alone ? "With one person nobody can say how other people would differ." :
                         "Intervals of 95 % come from drawing people anew; with few people they are too narrow.")));
}

function start(): void {
    const data = JSON.parse(document.getElementById("data")!.textContent!) as Data;
    document.title = "Tinamou: " + data.title;
    const positions = positionsOf(data);
    const sections = [
        head(data),
        keySection(data),
        thresholdSection(data, positions, timelineSection(data, positions)),
        tuningSection(data),
        mistakeSection(data),
        peopleSection(data),
        classSection(data),
        confusionSection(data),
        calibrationSection(data),
        trivialSection(data),
        curvesSection(data),
        footprintSection(data),
        lineageSection(data),
    ];
    document.getElementById("page")!.replaceChildren(...sections.filter((s): s is HTMLElement => s !== null));
}

start();
