// Signals of a test stream with what was true and what the device said.

import Dygraph from "dygraphs/dygraph.min.js";
import type { Area } from "dygraphs/dygraph.min.js";
import type { Data, Interval, Timeline } from "./data";
import { choice, colour, grid, make, redrawOnScheme, section, theme } from "./page";

const LANE = 18; // pixels
const LANES_WITH_EVENTS = ["labels", "model", "active", "reports"];
const LANES_WITHOUT = ["labels", "model"];

// Two points per column, its least and greatest value, draw the same picture as all samples would.
function points(timeline: Timeline, channels: number[], scales: number[], rate: number): (number | null)[][] {
    const columns = timeline.signals[0][0].length;
    const step = timeline.is.n_frames / columns / rate;
    const rows: (number | null)[][] = [];
    for (let c = 0; c < columns; c++) {
        for (const side of [0, 1] as const) {
            rows.push([(c + side / 2) * step, ...channels.map((k) => timeline.signals[k][side][c] * scales[k])]);
        }
    }
    return rows;
}

// The lowest and greatest value, with the room above that the lanes take.
function valueRange(rows: (number | null)[][], share: number): { range: [number, number]; greatest: number } {
    let low = Infinity;
    let high = -Infinity;
    for (const row of rows) {
        for (const v of row.slice(1)) {
            low = Math.min(low, v ?? low);
            high = Math.max(high, v ?? high);
        }
    }
    const height = high - low || 1;
    return { range: [low - 0.03 * height, low + (1.03 * height) / (1 - share)], greatest: high };
}

export function timelineSection(data: Data): HTMLElement {
    const timelines = data.timelines ?? [];
    if (timelines.length === 0)
        return section("Timelines", make("p", { class: "missing" }, "No timelines: timelines.json is missing. Run the stage evaluate again."));
    const metrics = data.metrics;
    const lanes = metrics.has_events ? LANES_WITH_EVENTS : LANES_WITHOUT;
    const units = [...new Set(data.channels.map((c) => c.unit))];
    const classColour = (k: number) => (metrics.has_events && !metrics.classes[k].event ? theme("--line") : colour(order.indexOf(k)));
    const order = metrics.classes.map((_, k) => k).filter((k) => !metrics.has_events || metrics.classes[k].event);
    const chart = make("div", { class: "chart tall" });
    const words = make("p", { class: "note" });
    const legend = make("div", { class: "legend" });
    let graph: Dygraph | null = null;
    let stream = 0;
    let unit = 0;

    const bar = (canvas: CanvasRenderingContext2D, area: Area, g: Dygraph, lane: number, [start, end, k]: Interval) => {
        const left = Math.max(g.toDomXCoord(start / metrics.rate_hz), area.x);
        const right = Math.min(g.toDomXCoord(end / metrics.rate_hz), area.x + area.w);
        if (right <= area.x || left >= area.x + area.w) return;
        const y = area.y + lane * LANE + 2;
        canvas.fillStyle = classColour(k);
        canvas.fillRect(left, y, Math.max(right - left, 1.5), LANE - 4);
        const name = metrics.classes[k].name;
        if (canvas.measureText(name).width + 6 < right - left) {
            canvas.fillStyle = metrics.has_events && !metrics.classes[k].event ? theme("--text") : theme("--on-colour");
            canvas.fillText(name, left + 3, y + LANE - 8);
        }
    };
    // Up: right. Cross: false. Down: of the wrong class or once more. The shape says it, the colour is the class.
    const report = (canvas: CanvasRenderingContext2D, area: Area, g: Dygraph, [frame, k, kind]: [number, number, string]) => {
        const x = g.toDomXCoord(frame / metrics.rate_hz);
        if (x < area.x || x > area.x + area.w) return;
        const y = area.y + 3 * LANE + LANE / 2;
        canvas.strokeStyle = canvas.fillStyle = classColour(k);
        canvas.globalAlpha = 0.5;
        canvas.fillRect(x - 0.5, y, 1, area.y + area.h - y);
        canvas.globalAlpha = 1;
        canvas.beginPath();
        if (kind === "false") {
            canvas.lineWidth = 3;
            canvas.strokeStyle = theme("--text");
            canvas.moveTo(x - 5, y - 5);
            canvas.lineTo(x + 5, y + 5);
            canvas.moveTo(x + 5, y - 5);
            canvas.lineTo(x - 5, y + 5);
            canvas.stroke();
        } else {
            const tip = kind === "true" ? -6 : 6;
            canvas.moveTo(x, y + tip);
            canvas.lineTo(x - 6, y - tip);
            canvas.lineTo(x + 6, y - tip);
            canvas.fill();
        }
    };
    const underlay = (canvas: CanvasRenderingContext2D, area: Area, g: Dygraph) => {
        const is = timelines[stream].is;
        canvas.save();
        canvas.font = "11px system-ui, sans-serif";
        canvas.beginPath();
        canvas.rect(area.x, area.y, area.w, area.h);
        canvas.clip();
        is.intervals.forEach((interval) => bar(canvas, area, g, 0, interval));
        is.predicted.forEach((interval) => bar(canvas, area, g, 1, interval));
        if (metrics.has_events) {
            is.segments.forEach((interval) => bar(canvas, area, g, 2, interval));
            is.triggers.forEach((trigger) => report(canvas, area, g, trigger));
        }
        canvas.fillStyle = theme("--line");
        canvas.fillRect(area.x, area.y + lanes.length * LANE + 2, area.w, 1);
        canvas.restore();
    };
    const draw = () => {
        graph?.destroy();
        const shown = data.channels.map((_, i) => i).filter((i) => data.channels[i].unit === units[unit]);
        const rows = points(timelines[stream], shown, data.channels.map((c) => c.scale), metrics.rate_hz);
        const share = (lanes.length * LANE + 8) / (chart.clientHeight - 44);
        const { range, greatest } = valueRange(rows, share);
        const axisLabelFormatter = (value: number) => (value > greatest ? "" : String(Number(value.toPrecision(3))));
        graph = new Dygraph(chart, rows, {
            ...grid(),
            axes: { y: { axisLabelFormatter, axisLabelWidth: 52 } },
            labels: ["time (s)", ...shown.map((i) => data.channels[i].name)],
            colors: shown.map((_, i) => colour(i)),
            valueRange: range,
            xlabel: "time (s)",
            ylabel: units[unit],
            labelsDiv: legend,
            legend: "always",
            strokeWidth: 1,
            digitsAfterDecimal: 2,
            underlayCallback: underlay,
        });
        const is = timelines[stream].is;
        const found = is.events.filter(([, , k, said]) => k === said).length;
        const wrong = is.events.filter(([, , k, said]) => said >= 0 && k !== said).length;
        const count = (kind: string) => is.triggers.filter((t) => t[2] === kind).length;
        words.textContent = metrics.has_events
            ? `${is.events.length} events: ${found} found, ${wrong} reported as another class, ${is.events.length - found - wrong} missed; ` +
              `${count("false")} false reports, ${count("repeat") + count("duplicate")} duplicates.`
            : `${is.intervals.length} labelled intervals.`;
    };
    const chips = make("div", { class: "chips" });
    const drawChips = () => chips.replaceChildren(...order.map((k) => make("span", { class: "chip", style: "--chip:" + classColour(k) }, metrics.classes[k].name)));
    const result = section(
        "Timelines of the test people",
        make(
            "p",
            {},
            "Lanes from the top: " +
                (metrics.has_events
                    ? "the labels; the class that the model prefers at each frame; the event that the device holds active; what it reports (▲ right, ▼ wrong class " +
                      "or once more, ✕ false). "
                    : "the labels; the class that the model prefers at each frame. ") +
                "Drag to zoom, shift-drag to move, double-click to see all.",
        ),
        make(
            "div",
            { class: "pick" },
            choice("recording", timelines.map((t) => t.is.id + (t.is.subject !== t.is.id ? " (" + t.is.subject + ")" : "")), (i) => {
                stream = i;
                draw();
            }),
            units.length > 1 ? choice("signals in", units, (i) => { unit = i; draw(); }) : null,
        ),
        words,
        chips,
        // names of the lanes stand beside the canvas, which dygraphs clips to the plot
        make("div", { class: "lanes" }, chart, ...lanes.map((name, i) => make("span", { style: `top:${i * LANE}px` }, name))),
        legend,
        (data.n_timelines ?? 0) > timelines.length ? make("p", { class: "note" }, `The first ${timelines.length} of ${data.n_timelines} recordings are shown.`) : null,
    );
    queueMicrotask(() =>
        redrawOnScheme(() => {
            drawChips();
            draw();
        }),
    );
    return result;
}
