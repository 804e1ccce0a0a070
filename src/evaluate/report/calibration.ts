// How far the model's confidence can be believed: a reliability diagram.

import type {Data} from "./data";
import {make, number, percent, section, svg, table} from "../../page/page";

const SIDE = 260;
const EDGE = 34;

// Bars: how often frames of one bin of confidence are right; the line: where they would be if the confidence were true.
function diagram(bins: [number, number|null, number|null][]): SVGElement {
    const picture = svg("svg", {
        viewBox: `0 0 ${SIDE + EDGE + 14} ${SIDE + EDGE + 10}`,
        class: "reliability",
        role: "img",
        "aria-label": "share of right frames over confidence; the table beside it has the numbers"
    });
    const y = (share: number) => 4 + SIDE * (1 - share);
    const wide = SIDE / bins.length;
    bins.forEach(([n, confidence, right], b) => {
        if (confidence === null || right === null) return;
        const bar = svg("rect", {class: "bin", x: EDGE + b * wide + 1, y: y(right), width: wide - 2, height: SIDE * right});
        bar.append(svg("title", {}, `${n.toLocaleString("en")} frames, confidence ${percent(confidence)}, right ${percent(right)}`));
        picture.append(bar);
    });
    for (const share of [0, 0.5, 1]) {
        picture.append(svg("text", {x: EDGE - 6, y: y(share) + 4, "text-anchor": "end"}, share.toFixed(1)));
        picture.append(svg("text", {x: EDGE + share * SIDE, y: SIDE + 20, "text-anchor": "middle"}, share.toFixed(1)));
    }
    picture.append(
        svg("line", {class: "true", x1: EDGE, y1: y(0), x2: EDGE + SIDE, y2: y(1)}),
        svg("rect", {class: "frame", x: EDGE, y: 4, width: SIDE, height: SIDE}),
        svg("text", {x: EDGE + SIDE / 2, y: SIDE + 38, "text-anchor": "middle"}, "confidence"));
    return picture;
}

export function calibrationSection(data: Data): HTMLElement|null {
    const c = data.calibration;
    if (!c || c.n_frames === 0) return null;
    const over = c.overconfident ?? 0;
    const rows = c.bins.map(([n, confidence, right]) => [n, confidence, right] as const).filter(([n]) => n > 0);
    return section(
        "Calibration: is the model as sure as it may be?",
        make(
            "p", {},
            "The confidence of a frame is the softmax of the model's scores for the class that it prefers. Where it is true, " +
                "the bars reach the line. On average the model is " +
                `${percent(Math.abs(over))} ${over >= 0 ? "surer than it is right" : "more often right than it is sure"}; the ` +
                `expected calibration error is ${number(c.ece, 3)}. The decision layer compares scores with thresholds ` +
                "that were chosen on people, so it does not need a true confidence; who reads the scores does."),
        make(
            "div", {class: "columns"}, make("div", {}, diagram(c.bins)), table([
                ["confidence", "frames", "right"],
                ...rows.map(([n, confidence, right]) => [percent(confidence), n.toLocaleString("en"), percent(right)])
            ])));
}
