// The findings of `tinamou data check`, each with its picture.

import "../../page/page.css";
import "./inspect.css";

import {colour, make, plural, redrawOnScheme, section, table} from "../../page/page";
import type {Curve, Head, Interval, View} from "../../page/painter";
import {channelColour, columnFrames, decode, Painter, seriesOf} from "../../page/painter";

interface Finding {
    check: string;
    severity: "fault"|"warning"|"note";
    text: string;
    stream: string|null;
    subject: string|null;
    start_s: number|null;
    end_s: number|null;
    other_stream: string|null;
    other_start_s: number|null;
}

interface Picture {
    finding: number;
    stream: string;
    from: number;
    to: number;
    mark: [number, number];
    columns: number;
    signals: {channel: number; counts: string}[];
    intervals: Interval[];
    scores?: {class: number; values: string}[];
}

interface Data extends Head {
    title: string;
    score_one: number;
    report: {
        dataset: {name: string; hash: string; streams: number; seconds: number};
        run: string|null;
        summary: {faults: number; warnings: number; notes: number};
        checks: {name: string; title: string; mend: string; found: number; listed: number}[];
        findings: Finding[];
    };
    pictures: Picture[];
}

const MOST_ROWS = 300;  // of findings without a picture

// Unlike the colours of three axes, and unlike one another, whatever the classes are.
function curveColour(index: number): string {
    return colour(3 + index);
}

function viewOf(data: Data, picture: Picture): View {
    const {from, to, columns} = picture;
    const lines: Curve[] = (picture.scores ?? []).map(({values}, i) => ({
        colour: curveColour(i),
        width: 1.5,
        dash: [],
        frames: columnFrames(from, to, columns),
        values: Float64Array.from(decode(values)).map((v) => (v < 0 ? NaN : v / data.score_one)),
    }));
    const marks: [number, number][] = picture.mark[1] > picture.mark[0] ? [picture.mark] : [];
    return {
        from,
        to,
        series: seriesOf(picture.signals, from, to, columns),
        lanes: [{name: "labels", intervals: picture.intervals}],
        marks,
        curves: lines.length > 0 ? {name: "model", range: [0, 1], height: 46, lines} : null,
    };
}

// Pictures are painted when they come into sight: there may be hundreds.
function picture(data: Data, one: Picture): HTMLElement {
    const canvas = make("canvas", {class: "picture", role: "img", "aria-label": "signal of " + one.stream});
    const names = one.signals.map(({channel}) => {
        const name = data.channels[channel].name;
        return make("span", {class: "chip", style: "--chip:" + channelColour(data, channel)}, name);
    });
    const curves = (one.scores ?? []).map(({class: k}, i) => {
        const style = "--chip:" + curveColour(i);
        return make("span", {class: "chip", style}, "model: " + data.classes[k].name);
    });
    const painter = new Painter(canvas as HTMLCanvasElement, data);
    let seen = false;
    const draw = () => {
        if (seen) painter.paint(viewOf(data, one));
    };
    new IntersectionObserver((entries, observer) => {
        if (!entries.some((e) => e.isIntersecting)) return;
        seen = true;
        observer.disconnect();
        draw();
    }, {rootMargin: "600px"}).observe(canvas);
    addEventListener("resize", draw);
    redrawOnScheme(draw);
    return make("figure", {}, canvas, make("figcaption", {class: "chips"}, ...names, ...curves));
}

function place(stream: string, start: number|null, end: number|null): HTMLElement {
    const where = start === null || end === null ? "" : ` ${start.toFixed(2)} to ${end.toFixed(2)}\u00a0s`;
    const at = start === null || end === null ? "" : `&from=${start.toFixed(3)}&to=${end.toFixed(3)}`;
    return make("a", {href: `stats.html#stream=${encodeURIComponent(stream)}${at}`}, stream + where);
}

function places(f: Finding): HTMLElement|null {
    if (f.stream === null) return null;
    const other = f.other_stream === null ? null :
                                            place(
                                                f.other_stream, f.other_start_s,
                                                f.other_start_s === null || f.start_s === null || f.end_s === null ?
                                                    null :
                                                    f.other_start_s + f.end_s - f.start_s);
    return make("span", {class: "place"}, place(f.stream, f.start_s, f.end_s), other ? " and " : null, other);
}

function card(data: Data, f: Finding, pictures: Picture[]): HTMLElement {
    return make(
        "article", {class: "finding"},
        make("p", {}, make("span", {class: "severity " + f.severity}, f.severity), " ", f.text + ". ", places(f)),
        make("div", {class: "pictures"}, ...pictures.map((p) => picture(data, p))));
}

function checkSection(data: Data, check: Data["report"]["checks"][0], of: Map<number, Picture[]>): HTMLElement|null {
    const mine = data.report.findings.map((f, i) => ({f, i})).filter(({f}) => f.check === check.name);
    if (mine.length === 0) return null;
    const drawn = mine.filter(({f, i}) => of.has(i) || f.stream === null);
    const rest = mine.filter(({f, i}) => !of.has(i) && f.stream !== null);
    const rows = rest.slice(0, MOST_ROWS).map(({f}) => [f.severity, f.text, places(f) ?? ""]);
    const left = check.found - drawn.length - rows.length;
    const element = section(
        `${check.title}: ${check.found}`, make("p", {class: "note"}, "How to mend: " + check.mend + "."),
        ...drawn.map(({f, i}) => card(data, f, of.get(i) ?? [])),
        rows.length === 0 ? null :
                            make(
                                "details", {}, make("summary", {}, `${plural(rows.length, "more finding")}, no pictures`),
                                table([["", "what", "where"], ...rows], "facts list")),
        left > 0 ? make("p", {class: "note"}, `${plural(left, "more finding")} not shown here.`) : null);
    element.id = check.name;
    return element;
}

function head(data: Data): HTMLElement {
    const {dataset, summary, run} = data.report;
    const verdict = summary.faults > 0 ? "Some of it is certainly wrong." :
        summary.warnings > 0           ? "Some of it is probably wrong." :
                                         "Nothing is certainly or probably wrong.";
    const counts = [
        plural(summary.faults, "fault"), plural(summary.warnings, "warning"), plural(summary.notes, "note")
    ].join(", ");
    return make(
        "header", {}, make("h1", {}, data.title + ": what is wrong with the data"),
        make(
            "p", {},
            `${verdict} ${counts} in ${plural(dataset.streams, "recording")}, ${
                (dataset.seconds / 3600).toFixed(1)} hours. ` +
                "A fault is certainly wrong, a warning probably; a note is worth a look. " +
                (run === null ? "No model was asked; with --run ID the labels that it contradicts are listed too." :
                                `The labels were held against the model of run ${run}.`)),
        make("p", {class: "note"}, "dataset " + dataset.hash.slice(0, 12)));
}

function overview(data: Data): HTMLElement {
    const rows = data.report.checks.map((c) => [c.found > 0 ? make("a", {href: "#" + c.name}, c.title) : c.title,
                                                c.found > 0 ? String(c.found) : "–"]);
    return section("Checks", table([["check", "findings"], ...rows], "checks"));
}

function start(): void {
    const data = JSON.parse(document.getElementById("data")!.textContent!) as Data;
    document.title = "Tinamou: " + data.title + ", check";
    const of = new Map<number, Picture[]>();
    for (const p of data.pictures) of.set(p.finding, [...(of.get(p.finding) ?? []), p]);
    const sections = [head(data), overview(data), ...data.report.checks.map((c) => checkSection(data, c, of))];
    document.getElementById("page")!.replaceChildren(...sections.filter((s): s is HTMLElement => s !== null));
}

start();
