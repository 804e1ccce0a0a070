// Where the device was wrong, one by one: a list with filters, a picture of the chosen one, and what may be wrong with its
// label. What goes to the list of labels to change is in relabel.ts.

import {choice, colour, make, number, percent, plural, redrawOnScheme, section, table} from "../../page/page";
import type {Curve, Head, Lane, View} from "../../page/painter";
import {channelColour, classFill, decode, Painter, seriesOf} from "../../page/painter";
import type {Data, Found, Mistake} from "./data";
import {RelabelList} from "./relabel";

const KINDS: Record<string, string> = {
    missed: "missed",
    wrong: "wrong class",
    false: "false alarm",
    repeat: "reported again",
    duplicate: "reported again, other class",
    frames: "wrong frames",
};
const ROLES = ["validation", "test"] as const;
const CURVES = 96;  // pixels of the scores
const SCORE_ONE = 256;

function headOf({channels, metrics, unlabelled}: Data): Head {
    return {channels, classes: metrics.classes, rate_hz: metrics.rate_hz, unlabelled};
}

function nameOf(data: Data, k: number): string {
    return data.metrics.classes[k]?.name ?? "–";
}

function truthOf(data: Data, m: Mistake): string {
    return m.truth >= 0 ? nameOf(data, m.truth) : m.kind === "false" ? "no event" : "reported before";
}

// What the model says of every class, in logits; the two that matter stand out, the others are thin and grey.
function curvesOf(data: Data, m: Mistake): {lines: Curve[]; range: [number, number]} {
    const n = data.metrics.classes.length;
    const all = decode(m.scores.values);
    const frames = Float64Array.from({length: all.length / n}, (_, i) => m.scores.first + i * m.scores.step);
    const rival = rivalOf(data, m);
    const lines = data.metrics.classes
                      .map((_, k) => ({
                               k,
                               colour: k === m.said ? colour(1) : k === rival ? colour(0) : "rgba(128, 128, 128, 0.55)",
                               width: k === m.said || k === rival ? 2 : 1,
                               dash: k === rival ? [5, 3] : [],
                               frames,
                               values: Float64Array.from({length: frames.length}, (_v, i) => all[i * n + k] / SCORE_ONE),
                           }))
                      .sort((a, b) => a.width - b.width);
    const values = all.length > 0 ? Array.from(all, (v) => v / SCORE_ONE) : [0];
    const low = Math.min(...values);
    const high = Math.max(...values);
    return {lines, range: [low, high > low ? high : low + 1]};
}

// The class that what the model said is held against: the true one or, where nothing happened, that of the label there.
function rivalOf(data: Data, m: Mistake): number {
    if (m.truth >= 0) return m.truth;
    const there = m.intervals.find(([start, end]) => start <= m.start && m.start < end);
    return there ? there[2] : data.unlabelled;
}

function viewOf(data: Data, m: Mistake): View {
    const {lines, range} = curvesOf(data, m);
    const lanes: Lane[] = [{name: "labels", intervals: m.intervals}, {name: "model", intervals: m.predicted}];
    if (data.metrics.has_events)
        lanes.push({name: "active", intervals: m.segments ?? []}, {name: "reports", intervals: [], reports: m.triggers ?? []});
    return {
        from: m.from,
        to: m.to,
        series: seriesOf(m.signals, m.from, m.to, m.columns),
        lanes,
        marks: [[m.start, m.end]],
        curves: {name: "logits", range, height: CURVES, lines},
    };
}

function inWords(data: Data, m: Mistake): string {
    const said = nameOf(data, m.said);
    const truth = truthOf(data, m);
    const surely = m.confidence > 0 ? `by ${m.confidence.toFixed(1)} logits` :
                                      `no: the label leads by ${(-m.confidence).toFixed(1)} logits`;
    switch (m.kind) {
        case "missed":
            return `${truth} was not reported. The model preferred ${said} there: ${surely}.`;
        case "wrong":
            return `${truth} was reported as ${said}. The model preferred it over the whole event: ${surely}.`;
        case "frames":
            return `The label is ${truth}, the model says ${said}: ${surely}.`;
        default:
            return `${said} was reported where ${
                m.kind === "false" ? "no event is near" : "the event had been reported already"}. The model preferred it ` +
                `to every other class: ${
                    m.confidence > 0 ? surely : `no: another leads by ${(-m.confidence).toFixed(1)} logits`}.`;
    }
}

// Counts of all that were found, whatever the page lists.
function countTable(data: Data): HTMLElement {
    const kinds = Object.keys(KINDS).filter((k) => (k === "frames") !== data.metrics.has_events);
    const found = data.mistakes!.found;
    const rows = ROLES.map((role) => {
        const row = [role + " people", ...kinds.map((k) => String(found[role][k as keyof Found]))];
        return data.metrics.has_events ? row : [...row, found[role].wrong_frames.toLocaleString("en")];
    });
    const columns = kinds.map((k) => (k === "frames" ? "stretches" : KINDS[k]));
    return table([["", ...columns, ...(data.metrics.has_events ? [] : ["frames"])], ...rows], "mistake-counts");
}

// The place in the page where those of one cell of a confusion matrix are shown; -1: no event, no report.
export function mistakesAt(role: string, truth: number, said: number): string {
    return `#mistakes=${role}&true=${truth}&said=${said}`;
}

class MistakeBrowser {
    private readonly rows = make("tbody", {});
    private readonly box = make(
        "div", {class: "mistake-list", tabindex: "0", role: "listbox", "aria-label": "mistakes; n and p go to the next and the previous"});
    private readonly where = make("output", {class: "note"});
    private readonly words = make("p", {class: "words"});
    private readonly chips = make("div", {class: "chips"});
    private readonly form = make("div", {});
    private readonly canvas = make("canvas", {class: "picture mistake", role: "img", "aria-label": "signals around the mistake"}) as
        HTMLCanvasElement;
    private readonly painter: Painter;
    private readonly relabel: RelabelList;
    private readonly filters: Record<string, (m: Mistake) => boolean> = {};
    private readonly only = make("button", {type: "button", class: "only", title: "show all again"});
    private inTime = false;
    private shown: number[] = [];  // indices of `list`
    private at = 0;                // in `shown`
    readonly element: HTMLElement;

    constructor(private readonly data: Data, private readonly list: Mistake[]) {
        this.painter = new Painter(this.canvas, headOf(data));
        this.relabel = new RelabelList(data, () => {
            this.show();
            this.box.focus({preventScroll: true});
        });
        const keys = make("div", {class: "mistakes"}, this.box, this.detail());
        keys.addEventListener("keydown", (event) => this.key(event));
        this.box.append(this.listTable());
        this.element = make("div", {}, this.pickers(), keys, this.relabel.element);
        this.only.addEventListener("click", () => this.restrict(null, ""));
        this.only.hidden = true;
        addEventListener("resize", () => this.paint());
        addEventListener("hashchange", () => this.follow());
        queueMicrotask(() => {
            this.filter();
            redrawOnScheme(() => this.paint());
            this.follow();
        });
    }

    private get current(): Mistake|undefined {
        return this.list[this.shown[this.at]];
    }

    private listTable(): HTMLElement {
        const head = ["#", "what", "true", "said", "logits", "person", "recording", "at"];
        return make(
            "table", {}, make("thead", {}, make("tr", {}, ...head.map((h) => make("th", {scope: "col"}, h)))), this.rows);
    }

    private picker(label: string, values: string[], names: string[], of: (m: Mistake) => string[]): HTMLElement|null {
        if (values.length < 2) return null;
        return choice(label, ["all", ...names], (i) => {
            if (i === 0)
                delete this.filters[label];
            else
                this.filters[label] = (m) => of(m).includes(values[i - 1]);
            this.filter();
        });
    }

    private pickers(): HTMLElement {
        const of = (get: (m: Mistake) => string) => [...new Set(this.list.map(get))].sort();
        const kinds = Object.keys(KINDS).filter((k) => this.list.some((m) => m.kind === k));
        const classes = this.data.metrics.classes.map((_, k) => String(k))
                            .filter((k) => this.list.some((m) => String(m.truth) === k || String(m.said) === k));
        const people = of((m) => m.subject);
        const roles = of((m) => m.role);
        return make(
            "div", {class: "pick"}, this.picker("people", roles, roles, (m) => [m.role]),
            this.picker("what", kinds, kinds.map((k) => KINDS[k]), (m) => [m.kind]),
            this.picker(
                "class", classes, classes.map((k) => nameOf(this.data, Number(k))), (m) => [String(m.truth), String(m.said)]),
            this.picker("person", people, people, (m) => [m.subject]),
            choice("order", ["most confident first", "by recording and time"], (i) => {
                this.inTime = i === 1;
                this.filter();
            }),
            this.only);
    }

    private restrict(accept: ((m: Mistake) => boolean)|null, words: string): void {
        delete this.filters.cell;
        if (accept) this.filters.cell = accept;
        this.only.hidden = !accept;
        this.only.textContent = words + " ✕";
        this.filter();
    }

    // As mistakesAt links.
    private follow(): void {
        const wanted = new URLSearchParams(location.hash.slice(1));
        const role = wanted.get("mistakes");
        if (role === null) return;
        const [truth, said] = [wanted.get("true"), wanted.get("said")].map(Number);
        const kinds = said < 0 ? ["missed"] : truth < 0 ? ["false"] : ["wrong", "frames"];
        const accept = (m: Mistake) => m.role === role && kinds.includes(m.kind) && (truth < 0 || m.truth === truth) &&
            (said < 0 || m.said === said);
        const name = (k: number, none: string) => this.data.metrics.classes[k]?.name ?? none;
        this.restrict(accept, `only ${role} people: ${name(truth, "no event")} → ${name(said, "no report")}`);
        this.element.scrollIntoView();
    }

    private detail(): HTMLElement {
        const button = (text: string, title: string, act: () => void) => {
            const b = make("button", {type: "button", title}, text);
            b.addEventListener("click", act);
            return b;
        };
        return make(
            "div", {class: "mistake-detail"},
            make(
                "div", {class: "pick"}, button("◀ previous", "key p", () => this.go(-1)),
                button("next ▶", "key n", () => this.go(1)), this.where),
            this.words, this.canvas, this.chips, this.form);
    }

    private filter(): void {
        const kept = this.current;
        const accepts = Object.values(this.filters);
        this.shown = this.list.map((_, i) => i).filter((i) => accepts.every((accept) => accept(this.list[i])));
        if (this.inTime)
            this.shown.sort((i, j) => {
                const [a, b] = [this.list[i], this.list[j]];
                return a.id === b.id ? a.start - b.start : a.id < b.id ? -1 : 1;
            });
        this.rows.replaceChildren(...this.shown.map((index, row) => this.row(index, row)));
        this.at = Math.max(0, this.shown.findIndex((i) => this.list[i] === kept));
        this.show();
    }

    private row(index: number, row: number): HTMLElement {
        const m = this.list[index];
        const cells = [
            String(index + 1), KINDS[m.kind], truthOf(this.data, m), nameOf(this.data, m.said), number(m.confidence, 1),
            m.subject, m.id, this.time(m.start)
        ];
        const tr = make("tr", {role: "option"}, ...cells.map((text) => make("td", {}, text)));
        tr.addEventListener("click", () => {
            this.at = row;
            this.show();
        });
        return tr;
    }

    private time(frame: number): string {
        return (frame / this.data.metrics.rate_hz).toFixed(2) + "\u00a0s";
    }

    private go(by: number): void {
        this.at = Math.min(this.shown.length - 1, Math.max(0, this.at + by));
        this.show();
    }

    private key(event: KeyboardEvent): void {
        const target = event.target as HTMLElement;
        if (/^(INPUT|SELECT)$/.test(target.tagName) || event.ctrlKey || event.metaKey || event.altKey) return;
        const acts: Record<string, () => void> = {
            n: () => this.go(1),
            p: () => this.go(-1),
            ArrowDown: () => this.go(1),
            ArrowUp: () => this.go(-1),
            Home: () => this.go(-this.list.length),
            End: () => this.go(this.list.length),
            r: () => this.form.querySelector<HTMLElement>("button.send")?.click(),
        };
        const act = acts[event.key];
        if (!act) return;
        event.preventDefault();
        act();
    }

    private show(): void {
        Array.from(this.rows.children).forEach((tr, i) => {
            tr.setAttribute("aria-selected", String(i === this.at));
            tr.classList.toggle("sent", this.relabel.has(this.list[this.shown[i]]));
        });
        const m = this.current;
        this.where.textContent = m ? `${this.at + 1} of ${this.shown.length}` : "none of this kind";
        this.canvas.hidden = !m;
        if (!m) {
            this.words.textContent = "";
            this.chips.replaceChildren();
            this.form.replaceChildren();
            return;
        }
        this.keepInSight(this.rows.children[this.at] as HTMLElement);
        const strong = make("strong", {}, KINDS[m.kind] + ": ");
        this.words.replaceChildren(strong, inWords(this.data, m), " ", this.place(m));
        this.form.replaceChildren(this.relabel.form(m));
        this.paint();
    }

    // In the list alone: the page stays where it is.
    private keepInSight(row: HTMLElement): void {
        const head = 30;
        if (row.offsetTop < this.box.scrollTop + head) this.box.scrollTop = row.offsetTop - head;
        const below = row.offsetTop + row.offsetHeight - this.box.clientHeight;
        if (below > this.box.scrollTop) this.box.scrollTop = below;
    }

    private place(m: Mistake): HTMLElement {
        const rate = this.data.metrics.rate_hz;
        const report = m.report < 0 ? "" : `, reported at ${this.time(m.report)}`;
        const words = `${m.subject}${m.subject === m.id ? "" : ", " + m.id}, ${this.time(m.start)} to ${this.time(m.end)}${report}`;
        if (!this.data.timelines?.some((t) => t.is.id === m.id)) return make("span", {class: "note"}, words);
        const at = `#stream=${encodeURIComponent(m.id)}&from=${(m.start / rate).toFixed(3)}&to=${(m.end / rate).toFixed(3)}`;
        const link = make("a", {href: at, title: "show it in the timeline"}, words);
        // the same place once more is no change for the browser
        link.addEventListener("click", () => location.hash === at && dispatchEvent(new HashChangeEvent("hashchange")));
        return link;
    }

    private paint(): void {
        const m = this.current;
        if (!m) return;
        const head = headOf(this.data);
        this.painter.paint(viewOf(this.data, m));
        const chip = (fill: string, text: string) => make("span", {class: "chip", style: "--chip:" + fill}, text);
        const seen = [...new Set([...m.intervals, ...m.predicted].map(([, , k]) => k))].filter((k) => k >= 0).sort((a, b) => a - b);
        const rival = rivalOf(this.data, m);
        const group = (name: string, ...chips: HTMLElement[]) => make("span", {class: "group"}, name + " ", ...chips);
        const classes = seen.filter((k) => classFill(head, k) !== null);
        this.chips.replaceChildren(
            group("lanes:", ...classes.map((k) => chip(classFill(head, k)!, nameOf(this.data, k)))),
            group(
                "logits:", chip(colour(1), nameOf(this.data, m.said)),
                ...(rival >= 0 && rival !== m.said ? [chip(colour(0), nameOf(this.data, rival) + " (dashed)")] : [])),
            group("signals:", ...m.signals.map(({channel}) => chip(channelColour(head, channel), head.channels[channel].name))));
    }
}

function leftOut(data: Data, list: Mistake[]): string {
    const found = data.mistakes!.found;
    const all = ROLES.reduce(
        (sum, role) => sum + Object.keys(KINDS).reduce((s, k) => s + found[role][k as keyof Found], 0), 0);
    if (all <= list.length) return `All ${plural(all, "mistake")} are in the page.`;
    const kept = data.metrics.has_events ? "most confident" : "longest";
    return `The page holds the ${list.length} ${kept} of ${plural(all, "mistake")} (${percent(list.length / all, 0)}); ` +
        "validation and test people share the room.";
}

export function mistakeSection(data: Data): HTMLElement {
    const title = "Mistakes, one by one";
    if (!data.mistakes)
        return section(
            title, make("p", {class: "missing"}, "No mistakes to show: timelines.json or scores.safetensors is missing. Run the stage evaluate again."));
    const {list} = data.mistakes;
    if (list.length === 0) return section(title, countTable(data), make("p", {}, "There is none."));
    const below = data.metrics.has_events ?
        "; below 0 the model was right on the whole, and the rule of the device was not" :
        "";
    return section(
        title,
        make(
            "p", {},
            "The most confident mistakes come first: where the model is sure and wrong, look at the label. Confidence is " +
                `the mean lead, in logits, of what the model said over the true class${below}. Keys, once the list has been ` +
                "clicked: n and p next and previous, r sends it to the list of labels to change."),
        countTable(data), make("p", {class: "note"}, leftOut(data, list)), new MistakeBrowser(data, list).element);
}
