// The signals of one recording, to zoom and to move through with mouse, wheel, keys and buttons.

import {choice, make, redrawOnScheme, section} from "../../page/page";
import type {Head, Interval, View} from "../../page/painter";
import {channelColour, classFill, decode, LEFT, Painter} from "../../page/painter";
import {Signal} from "./signal";

export interface Embedded {
    index: number;  // in report.streams
    n_frames: number;
    columns: number;
    signals: string[];
    intervals: Interval[];
}

const LEAST_FRAMES = 10;
const STEP = 0.2;   // share of the view that a key moves by
const ZOOM = 1.35;  // by one turn of the wheel or one key

export class Browser {
    private readonly canvas = make("canvas", {
        class: "signals",
        tabindex: "0",
        role: "img",
        "aria-label": "signals; arrows move, plus and minus zoom, n and p go to the next and the previous label"
    }) as HTMLCanvasElement;
    private readonly where = make("output", {class: "note"});
    private readonly missing = make("p", {class: "missing"});
    private readonly chips = make("div", {class: "chips"});
    private readonly painter: Painter;
    private readonly select: HTMLSelectElement;
    private readonly cache = new Map<number, Signal[]>();
    private stream = 0;  // in `embedded`
    private from = 0;
    private to = 1;
    private marks: [number, number][] = [];
    private waiting = false;
    readonly element: HTMLElement;

    constructor(
        private readonly head: Head, private readonly ids: string[], private readonly embedded: Embedded[],
        leftOut: string) {
        this.painter = new Painter(this.canvas, head);
        const names = embedded.map((e) => ids[e.index]);
        const picker = choice("recording", names, (i) => this.show(i));
        this.select = picker.querySelector("select")!;
        this.element = section(
            "Signals",
            make(
                "p", {},
                "Drag to move, click and turn the wheel to zoom, double-click to see all. Keys, once it has been clicked: " +
                    "← → move, + − zoom, 0 all, n and p next and previous label."),
            make("div", {class: "pick"}, picker, ...this.buttons(), this.where), this.missing, this.canvas, this.chips,
            make("p", {class: "note"}, leftOut));
        this.listen();
        addEventListener("hashchange", () => this.follow());
        // the canvas has its size once it is in the page
        queueMicrotask(() => {
            this.show(0);
            this.follow();
            redrawOnScheme(() => this.showChips());
        });
    }

    private get current(): Embedded {
        return this.embedded[this.stream];
    }

    private show(index: number): void {
        this.stream = index;
        this.select.value = String(index);
        this.from = 0;
        this.to = this.current.n_frames;
        this.marks = [];
        this.missing.textContent = "";
        this.showChips();
    }

    // #stream=ID&from=SECONDS&to=SECONDS, as the page of the checks links
    private follow(): void {
        const wanted = new URLSearchParams(location.hash.slice(1));
        const id = wanted.get("stream");
        if (id === null) return;
        const index = this.embedded.findIndex((e) => this.ids[e.index] === id);
        if (index < 0) {
            this.missing.textContent =
                `The signals of ${id} are not in this page; \`tinamou data stats --stream ${id}\` puts them in.`;
            return;
        }
        this.show(index);
        const [start, end] = [wanted.get("from"), wanted.get("to")].map((s) => Number(s) * this.head.rate_hz);
        if (wanted.get("from") !== null && Number.isFinite(start) && Number.isFinite(end)) {
            const around = Math.max(5 * this.head.rate_hz, end - start);
            this.marks = [[start, end]];
            this.set(start - around, end + around);
        }
        this.canvas.scrollIntoView({block: "center"});
    }

    private signals(): Signal[] {
        const known = this.cache.get(this.stream);
        if (known) return known;
        const {signals, n_frames, columns} = this.current;
        const made = signals.map((s) => new Signal(decode(s), n_frames, columns < n_frames));
        this.cache.set(this.stream, made);
        return made;
    }

    private set(from: number, to: number): void {
        const all = this.current.n_frames;
        const span = Math.min(all, Math.max(Math.min(LEAST_FRAMES, all), to - from));
        const middle = (from + to) / 2;
        this.from = Math.min(all - span, Math.max(0, middle - span / 2));
        this.to = this.from + span;
        this.draw();
    }

    private zoom(factor: number, at = 0.5): void {
        const centre = this.from + at * (this.to - this.from);
        const span = (this.to - this.from) / factor;
        this.set(centre - at * span, centre + (1 - at) * span);
    }

    private move(share: number): void {
        const by = share * (this.to - this.from);
        this.set(this.from + by, this.to + by);
    }

    private toLabel(direction: 1|-1): void {
        const middle = (this.from + this.to) / 2;
        const starts = this.current.intervals.filter(([, , k]) => k >= 0);
        const next = direction > 0 ? starts.find(([s, e]) => (s + e) / 2 > middle + 1) :
                                     starts.filter(([s, e]) => (s + e) / 2 < middle - 1).pop();
        if (!next) return;
        const span = Math.max(2 * (next[1] - next[0]), this.to - this.from < this.current.n_frames ? this.to - this.from :
                                                                                                      0);
        const centre = (next[0] + next[1]) / 2;
        this.set(centre - span / 2, centre + span / 2);
    }

    private buttons(): HTMLElement[] {
        const button = (text: string, title: string, act: () => void) => {
            const b = make("button", {type: "button", title, "aria-label": title}, text);
            b.addEventListener("click", act);
            return b;
        };
        return [
            button("◀", "move left", () => this.move(-STEP)), button("▶", "move right", () => this.move(STEP)),
            button("+", "zoom in", () => this.zoom(ZOOM)), button("−", "zoom out", () => this.zoom(1 / ZOOM)),
            button("all", "see all", () => this.set(0, this.current.n_frames)),
            button("previous label", "previous label", () => this.toLabel(-1)),
            button("next label", "next label", () => this.toLabel(1)),
        ];
    }

    private key(event: KeyboardEvent): void {
        const acts: Record<string, () => void> = {
            ArrowLeft: () => this.move(-STEP),
            ArrowRight: () => this.move(STEP),
            Home: () => this.set(0, this.to - this.from),
            End: () => this.set(this.current.n_frames - (this.to - this.from), this.current.n_frames),
            "+": () => this.zoom(ZOOM),
            "=": () => this.zoom(ZOOM),
            "-": () => this.zoom(1 / ZOOM),
            "0": () => this.set(0, this.current.n_frames),
            n: () => this.toLabel(1),
            p: () => this.toLabel(-1),
        };
        const act = acts[event.key];
        if (!act || event.ctrlKey || event.metaKey || event.altKey) return;
        event.preventDefault();
        act();
    }

    private listen(): void {
        const canvas = this.canvas;
        let drag: {x: number; from: number; to: number}|null = null;
        canvas.addEventListener("keydown", (event) => this.key(event));
        canvas.addEventListener("pointerdown", (event) => {
            drag = {x: event.clientX, from: this.from, to: this.to};
            canvas.setPointerCapture(event.pointerId);
        });
        canvas.addEventListener("pointermove", (event) => {
            if (!drag) return;
            const by = ((drag.x - event.clientX) / this.painter.plotWidth) * (drag.to - drag.from);
            this.set(drag.from + by, drag.to + by);
        });
        for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, () => (drag = null));
        canvas.addEventListener("dblclick", () => this.set(0, this.current.n_frames));
        // only once it was clicked: else the wheel scrolls the page
        canvas.addEventListener("wheel", (event) => {
            if (document.activeElement !== canvas) return;
            event.preventDefault();
            if (Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
                this.move(event.deltaX / this.painter.plotWidth);
                return;
            }
            const x = event.clientX - canvas.getBoundingClientRect().left - LEFT;
            this.zoom(ZOOM ** (-Math.sign(event.deltaY)), Math.min(1, Math.max(0, x / this.painter.plotWidth)));
        }, {passive: false});
        addEventListener("resize", () => this.draw());
    }

    // Many events, one picture per frame of the screen.
    private draw(): void {
        if (this.waiting) return;
        this.waiting = true;
        requestAnimationFrame(() => {
            this.waiting = false;
            this.paint();
        });
    }

    private paint(): void {
        const {from, to} = this;
        const pixels = this.painter.plotWidth;
        const series = this.signals().map(
            (signal, channel) => ({channel, envelope: signal.envelope(from, to, pixels), range: signal.range}));
        const lanes = [{name: "labels", intervals: this.current.intervals}];
        const view: View = {from, to, series, lanes, marks: this.marks, curves: null};
        this.painter.paint(view);
        const rate = this.head.rate_hz;
        this.where.textContent = `${(from / rate).toFixed(2)} to ${(to / rate).toFixed(2)} s`;
    }

    private showChips(): void {
        const channels = this.current.signals.map((_, i) => {
            const style = "--chip:" + channelColour(this.head, i);
            return make("span", {class: "chip", style}, this.head.channels[i].name);
        });
        const seen = new Set(this.current.intervals.map(([, , k]) => k).filter((k) => k >= 0));
        const classes = [...seen].sort((a, b) => a - b).filter((k) => classFill(this.head, k) !== null).map((k) => {
            return make("span", {class: "chip", style: "--chip:" + classFill(this.head, k)}, this.head.classes[k].name);
        });
        this.chips.replaceChildren(...channels, ...classes);
        this.draw();
    }
}
