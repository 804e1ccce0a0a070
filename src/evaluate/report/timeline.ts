// Signals of a test stream with what was true and what the device said.

import Dygraph from "dygraphs/dygraph.min.js";
import type {Area} from "../../page/bar";
import type {Data, Timeline} from "./data";
import {Lanes} from "./lanes";
import type {Positions, Said} from "./positions";
import {choice, colour, grid, make, plural, redrawOnScheme, section} from "../../page/page";

// Two points per column, its least and greatest value, draw the same picture as all samples would.
function points(timeline: Timeline, channels: number[], scales: number[], rate: number): (number|null)[][] {
    const columns = timeline.signals[0][0].length;
    const step = timeline.is.n_frames / columns / rate;
    const rows: (number|null)[][] = [];
    for (let c = 0; c < columns; c++) {
        for (const side of [0, 1] as const) {
            rows.push([(c + side / 2) * step, ...channels.map((k) => timeline.signals[k][side][c] * scales[k])]);
        }
    }
    return rows;
}

// The lowest and greatest value, with the room above that the lanes take.
function valueRange(rows: (number|null)[][], share: number): {range: [number, number]; greatest: number} {
    let low = Infinity;
    let high = -Infinity;
    for (const row of rows) {
        for (const v of row.slice(1)) {
            low = Math.min(low, v ?? low);
            high = Math.max(high, v ?? high);
        }
    }
    const height = high - low || 1;
    return {range: [low - 0.03 * height, low + (1.03 * height) / (1 - share)], greatest: high};
}

function inWords(is: Timeline["is"], said: Said, hasEvents: boolean): string {
    if (!hasEvents) return plural(is.intervals.filter(([, , k]) => k >= 0).length, "labelled interval") + ".";
    const found = said.events.filter(([, , k, as]) => k === as).length;
    const wrong = said.events.filter(([, , k, as]) => as >= 0 && k !== as).length;
    const count = (kind: string) => said.triggers.filter((t) => t[2] === kind).length;
    return `${plural(said.events.length, "event")}: ${found} found, ${wrong} reported as another class, ` +
        `${said.events.length - found - wrong} missed; ${plural(count("false"), "false report")}, ` +
        `${plural(count("repeat") + count("duplicate"), "duplicate")}.`;
}

const EVENT_LANES = "the labels; the class that the model prefers at each frame; the event that the device holds " +
    "active; what it reports (▲ right, ▼ wrong class or once more, ✕ false). ";
const STATE_LANES = "the labels; the class that the model prefers at each frame. ";

// What the figures make of frames that nobody labelled.
function unlabelledInWords({unlabelled, metrics}: Data): string {
    const frames =
        unlabelled < 0 ? "are left out of the frame figures" : "count as " + metrics.classes[unlabelled].name;
    return `Stretches without a label ${frames}` +
        (metrics.has_events ? "; a report there is a false positive. " : ". ");
}

class View {
    readonly chart = make("div", {class: "chart tall"});
    readonly words = make("p", {class: "note said", "aria-live": "polite"});
    readonly legend = make("div", {class: "legend"});
    readonly chips = make("div", {class: "chips"});
    readonly units: string[];
    stream = 0;
    unit = 0;
    private select: HTMLSelectElement|null = null;
    private graph: Dygraph|null = null;

    private waiting = false;  // for the next picture of the screen

    constructor(
        private readonly data: Data, private readonly timelines: Timeline[], private readonly lanes: Lanes,
        private readonly positions: Positions|null) {
        this.units = [...new Set(data.channels.map((c) => c.unit))];
    }

    // at the threshold as it stands
    private said(): Said {
        const timeline = this.timelines[this.stream];
        return this.positions?.said(this.stream, timeline) ?? timeline.is;
    }

    private tell(): void {
        this.words.textContent =
            inWords(this.timelines[this.stream].is, this.said(), this.data.metrics.has_events);
    }

    // The threshold was moved.
    moved(): void {
        this.tell();
        if (this.waiting) return;
        this.waiting = true;
        requestAnimationFrame(() => {
            this.waiting = false;
            this.graph?.updateOptions({});
        });
    }

    draw(): void {
        const {channels, metrics} = this.data;
        const timeline = this.timelines[this.stream];
        const unit = this.units[this.unit];
        const shown = channels.map((_, i) => i).filter((i) => channels[i].unit === unit);
        const rows = points(timeline, shown, channels.map((c) => c.scale), metrics.rate_hz);
        const {range, greatest} = valueRange(rows, this.lanes.height / (this.chart.clientHeight - 44));
        const axisLabelFormatter = (value: number) => (value > greatest ? "" : String(Number(value.toPrecision(3))));
        this.lanes.takeColours();
        this.graph?.destroy();
        this.graph = new Dygraph(this.chart, rows, {
            ...grid(),
            axes: {y: {axisLabelFormatter, axisLabelWidth: 52}},
            labels: ["time (s)", ...shown.map((i) => channels[i].name)],
            colors: shown.map((_, i) => colour(i)),
            valueRange: range,
            xlabel: "time (s)",
            ylabel: unit,
            labelsDiv: this.legend,
            legend: "always",
            strokeWidth: 1,
            digitsAfterDecimal: 2,
            underlayCallback: (canvas: CanvasRenderingContext2D, area: Area, g: Dygraph) =>
                this.lanes.paint(canvas, area, (seconds) => g.toDomXCoord(seconds), timeline.is, this.said()),
        });
        this.tell();
        this.chips.replaceChildren(...this.lanes.coloured.map((k) => {
            const style = "--chip:" + this.lanes.fill(k);
            return make("span", {class: "chip", style}, metrics.classes[k].name);
        }));
    }

    // #stream=ID&from=SECONDS&to=SECONDS, as the mistakes link
    follow(): void {
        const wanted = new URLSearchParams(location.hash.slice(1));
        const index = this.timelines.findIndex(({is}) => is.id === wanted.get("stream"));
        if (index < 0) return;
        this.stream = index;
        if (this.select) this.select.value = String(index);
        this.draw();
        const [from, to] = [wanted.get("from"), wanted.get("to")].map(Number);
        const around = Math.max(10, to - from);
        if (from < to) this.graph?.updateOptions({dateWindow: [from - around, to + around]});
        this.chart.scrollIntoView({block: "center"});
    }

    pickers(): HTMLElement {
        const name = ({is}: Timeline) => is.id + (is.subject === is.id ? "" : " (" + is.subject + ")");
        const recording = choice("recording", this.timelines.map(name), (i) => {
            this.stream = i;
            this.draw();
        });
        this.select = recording.querySelector("select");
        const signals = choice("signals in", this.units, (i) => {
            this.unit = i;
            this.draw();
        });
        return make("div", {class: "pick"}, recording, this.units.length > 1 ? signals : null);
    }
}

export function timelineSection(data: Data, positions: Positions|null): HTMLElement {
    const timelines = data.timelines ?? [];
    if (timelines.length === 0) {
        const why = "No timelines: timelines.json is missing. Run the stage evaluate again.";
        return section("Timelines", make("p", {class: "missing"}, why));
    }
    const lanes = new Lanes(data.metrics);
    const view = new View(data, timelines, lanes, positions);
    // the names of the lanes stand beside the canvas, which dygraphs clips to the plot
    const names = lanes.names.map((name, i) => make("span", {style: `top:${lanes.top(i)}px`}, name));
    const more = (data.n_timelines ?? 0) > timelines.length ?
        make("p", {class: "note"}, `The first ${timelines.length} of ${data.n_timelines} recordings are shown.`) :
        null;
    // dygraphs measures its element, which must be in the page
    queueMicrotask(() => {
        redrawOnScheme(() => view.draw());
        positions?.follow(() => view.moved());
        view.follow();
    });
    addEventListener("hashchange", () => view.follow());
    return section(
        "Timelines of the test people",
        make(
            "p", {},
            "Lanes from the top: " + (data.metrics.has_events ? EVENT_LANES : STATE_LANES) + unlabelledInWords(data) +
                "Drag to zoom, shift-drag to move, double-click to see all."),
        view.pickers(), view.words, view.chips, make("div", {class: "lanes"}, view.chart, ...names), view.legend, more);
}
