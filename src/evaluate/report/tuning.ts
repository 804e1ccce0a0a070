// The rules that were worth considering: the presets side by side, and the front of all rules that nothing beats.

import type {Choice, Counted, Data, Pair, RulePoint} from "./data";
import {make, number, percent, range, rate, seconds, section, svg, table} from "../../page/page";

const WIDE = 560;
const HIGH = 260;
const LEFT = 46;
const LOW = 40;

function between(shown: string, bounds: Pair|undefined, show: (value: number|null) => string): Node {
    const cell = make("span", {}, shown);
    const text = bounds ? range("", bounds, show) : "";
    if (text !== "") cell.append(make("small", {}, text));
    return cell;
}

function cells(c: Counted): (string|Node)[] {
    return [
        between(percent(c.fnr_plus_fcr), c.fnr_plus_fcr_95, percent),
        between(rate(c.fp_per_hour), c.fp_per_hour_95, rate),
        between(seconds(c.latency_mean_s), c.latency_mean_s_95, seconds),
        between(number(c.f1, 3), c.f1_95, (v) => number(v, 3)),
        between(number(c.iou50_f1, 3), c.iou50_f1_95, (v) => number(v, 3)),
    ];
}

function presetTable(presets: [string, Choice][]): HTMLElement {
    return table(
        [
            ["preset", "missed or wrong", "FP per hour", "latency, mean", "event F1", "IoU-0.5 F1", "of people left out", "why"],
            ...presets.map(([name, choice]) => [
                name, ...cells(choice.validation),
                choice.left_out ?
                    `${percent(choice.left_out.fnr_plus_fcr)} lost, ${rate(choice.left_out.fp_per_hour)} FP/h` : "–",
                make("span", {class: "why"}, choice.why)
            ])
        ],
        "figures presets");
}

// Each point is a rule; nothing has both fewer false positives and fewer lost events, nor the same with less delay.
function frontPicture(front: RulePoint[], marked: [string, Choice][]): SVGElement {
    const x = (p: RulePoint) => p.validation.fp_per_hour ?? 0;
    const y = (p: RulePoint) => p.validation.fnr_plus_fcr ?? 0;
    const all: RulePoint[] = [...front, ...marked.map(([, choice]) => choice)];
    const mostX = Math.max(1e-9, ...all.map(x)) * 1.05;
    const mostY = Math.max(1e-9, ...all.map(y)) * 1.05;
    const px = (v: number) => LEFT + (v / mostX) * WIDE;
    const py = (v: number) => 8 + HIGH * (1 - v / mostY);
    const picture = svg("svg", {
        viewBox: `0 0 ${LEFT + WIDE + 70} ${HIGH + LOW + 12}`,
        class: "front",
        role: "img",
        "aria-label": "missed or wrong events over false positives per hour of the rules that no other rule beats, on the validation people"
    });
    for (const share of [0, 0.25, 0.5, 0.75, 1]) {
        const [vx, vy] = [share * mostX / 1.05, share * mostY / 1.05];
        picture.append(
            svg("line", {class: "grid", x1: LEFT, y1: py(vy), x2: LEFT + WIDE, y2: py(vy)}),
            svg("text", {x: LEFT - 6, y: py(vy) + 4, "text-anchor": "end"}, percent(vy, 0)),
            svg("text", {x: px(vx), y: HIGH + 26, "text-anchor": "middle"}, rate(vx)));
    }
    picture.append(svg("text", {x: LEFT + WIDE / 2, y: HIGH + 44, "text-anchor": "middle"}, "false positives per hour"));
    for (const point of front) {
        const dot = svg("circle", {class: "rule", cx: px(x(point)), cy: py(y(point)), r: 3.5});
        dot.append(svg("title", {}, `lost ${percent(y(point))}, ${rate(x(point))} FP per hour, after ${
            seconds(point.validation.latency_mean_s)}`));
        picture.append(dot);
    }
    // names that would stand on one another go under each other
    const taken: [number, number][] = [];
    for (const [name, choice] of marked) {
        const [cx, cy] = [px(x(choice)), py(y(choice))];
        let line = cy - 8;
        while (taken.some(([tx, ty]) => Math.abs(tx - cx) < 80 && Math.abs(ty - line) < 13)) line += 14;
        taken.push([cx, line]);
        picture.append(svg("circle", {class: "preset", cx, cy, r: 6}), svg("text", {class: "name", x: cx + 9, y: line}, name));
    }
    return picture;
}

export function tuningSection(data: Data): HTMLElement|null {
    const tuning = data.tuning;
    if (!tuning) return null;
    const presets = Object.entries(tuning.presets);
    const rows: [string, Choice][] = tuning.asked.preset ? presets : [...presets, ["chosen", tuning.chosen]];
    const asked = tuning.asked.preset ? `the preset “${tuning.asked.preset}”` : "bounds of its own";
    const size = tuning.front_size > tuning.front.length ? `${tuning.front.length} of ${tuning.front_size} are shown.` : "";
    return section(
        "Responsive or strict: the rules to choose from",
        make(
            "p", {},
            `This run asked for ${asked}: ${tuning.chosen.why}. All figures here are of the validation people, who chose the ` +
                "rules and so flatter them; “of people left out” is each person under the rule that the others choose. " +
                "`tinamou tune` takes another one without training again."),
        presetTable(rows), frontPicture(tuning.front, rows),
        make(
            "p", {class: "note"},
            "Each dot is a rule that no other one beats in lost events, false positives and mean latency at once: point at it for its " +
                "latency. " + size));
}
