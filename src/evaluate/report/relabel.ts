// Labels to change, gathered by a person from the mistakes, and downloaded as the list that data.relabel takes.

import {make, plural} from "../../page/page";
import type {Data, Interval, Mistake} from "./data";

const IGNORE = "ignore";

// A label to change: frames [start, end) become `suggested`.
interface Entry {
    mistake: Mistake;
    start: number;
    end: number;
    suggested: string;
}

// As tin_relabel_write_field.
function field(text: string): string {
    return /[,"\s]/.test(text) ? '"' + text.replace(/"/g, '""') + '"' : text;
}

function button(name: string, text: string, act: () => void): HTMLButtonElement {
    const b = make("button", {type: "button", class: name}, text) as HTMLButtonElement;
    b.addEventListener("click", act);
    return b;
}

export class RelabelList {
    private entries: Entry[];
    private readonly rows = make("tbody", {});
    private readonly words = make("p", {class: "note"});
    private readonly warning = make("p", {class: "warning", role: "status"});
    private readonly download = button("download", "download relabel.csv", () => this.save());
    readonly element: HTMLElement;

    // changed: after the list did
    constructor(private readonly data: Data, private readonly changed: () => void) {
        const head = ["recording", "start (s)", "end (s)", "label", "becomes", "people", ""];
        const cells = head.map((h) => make("th", {scope: "col"}, h));
        this.element = make(
            "div", {class: "relabel"}, make("h3", {}, "Labels to change"), this.words, this.warning,
            make("div", {class: "scroll"}, make("table", {}, make("thead", {}, make("tr", {}, ...cells)), this.rows)),
            this.download);
        this.entries = this.kept();
        this.update();
    }

    // The list outlives the page, where the browser lets it: it belongs to this model on this dataset.
    private get place(): string {
        const {data_hash, model_hash} = this.data.metrics;
        return `tinamou relabel ${data_hash} ${model_hash}`;
    }

    private keep(): void {
        const plain = this.entries.map(({mistake: m, ...rest}) => ({...rest, of: [m.id, m.kind, m.start, m.end].join(" ")}));
        try {
            localStorage.setItem(this.place, JSON.stringify(plain));
        } catch { /* a browser that keeps nothing: the list lasts as long as the page */
        }
    }

    private kept(): Entry[] {
        try {
            const plain = JSON.parse(localStorage.getItem(this.place) ?? "[]") as (Omit<Entry, "mistake">&{of: string})[];
            return plain.flatMap(({of, ...rest}) => {
                const mistake = this.data.mistakes!.list.find((m) => [m.id, m.kind, m.start, m.end].join(" ") === of);
                return mistake ? [{mistake, ...rest}] : [];
            });
        } catch {
            return [];
        }
    }

    has(mistake: Mistake): boolean {
        return this.find(mistake) !== undefined;
    }

    private find(mistake: Mistake): Entry|undefined {
        return this.entries.find((e) => e.mistake === mistake);
    }

    // What to put into the list for this mistake; the proposal of the model until a person says otherwise.
    form(mistake: Mistake): HTMLElement {
        const {rate_hz} = this.data.metrics;
        const names = [...this.data.metrics.classes.map((c) => c.name), IGNORE];
        const there = this.find(mistake);
        const [first, last, k] = mistake.proposed ?? [mistake.start, mistake.end, mistake.said];
        const input = (name: string, frame: number) => {
            const value = this.seconds(frame);
            const range = {min: this.seconds(mistake.from), max: this.seconds(mistake.to)};
            return make("input", {type: "number", step: "any", name, value, ...range}) as HTMLInputElement;
        };
        const start = input("start", there?.start ?? first);
        const end = input("end", there?.end ?? last);
        const select = make("select", {name: "class"}, ...names.map((n) => make("option", {}, n))) as HTMLSelectElement;
        select.selectedIndex = there ? names.indexOf(there.suggested) : k;
        const fault = make("span", {class: "fault", role: "alert"});
        const send = button("send", there ? "change in the list" : "send to relabel", () => {
            const frames = [start, end].map((i) => Math.round(Number(i.value) * rate_hz));
            const entry = {mistake, start: frames[0], end: frames[1], suggested: names[select.selectedIndex]};
            fault.textContent = this.faultOf(entry);
            if (fault.textContent === "") this.put(entry);
        });
        const form = make(
            "div", {class: "pick form"}, make("label", {}, "from ", start), make("label", {}, "to ", end, " s"),
            make("label", {}, "is ", select), send,
            there ? button("remove", "take off the list", () => this.remove(mistake)) : null, fault);
        form.addEventListener("keydown", (event) => {
            if (event.key === "Enter" && event.target instanceof HTMLInputElement) send.click();
        });
        return form;
    }

    // "" when the entry is one that data.relabel will take.
    private faultOf(entry: Entry): string {
        const {mistake, start, end} = entry;
        if (!(start < end)) return "The end must come after the start.";
        if (start < mistake.from || end > mistake.to) return "Only what the picture shows can be changed here.";
        const {classes} = this.data.metrics;
        const overlaps = ([from, to]: [number, number]) => from < end && to > start;
        const own = this.labelOf(mistake);
        const event = mistake.intervals.find(
            (i) => i[2] >= 0 && classes[i[2]].event && i !== own && overlaps([i[0], i[1]]));
        if (event) return `There is a label ${classes[event[2]].name} already, from ${this.seconds(event[0])} s.`;
        const other =
            this.entries.find((e) => e.mistake !== mistake && e.mistake.id === mistake.id && overlaps([e.start, e.end]));
        return other ? `It overlaps what is on the list from ${this.seconds(other.start)} s.` : "";
    }

    // The label that the mistake is about: of an event that was missed or called otherwise.
    private labelOf({truth, start, end, intervals, kind}: Mistake): Interval|undefined {
        if (kind === "frames") return undefined;
        return intervals.find((i) => i[0] === start && i[1] === end && i[2] === truth);
    }

    private put(entry: Entry): void {
        const at = this.entries.findIndex((e) => e.mistake === entry.mistake);
        if (at < 0)
            this.entries.push(entry);
        else
            this.entries[at] = entry;
        this.keep();
        this.update();
        this.changed();
    }

    private remove(mistake: Mistake): void {
        this.entries = this.entries.filter((e) => e.mistake !== mistake);
        this.keep();
        this.update();
        this.changed();
    }

    private seconds(frame: number): string {
        return (frame / this.data.metrics.rate_hz).toFixed(this.data.mistakes!.decimals);
    }

    // [start, end, label, suggested] of the file. A label that moves is first made what is around it, then a new one.
    private lines({mistake, start, end, suggested}: Entry): [string, string, string, string][] {
        const own = this.labelOf(mistake);
        const to = [this.seconds(start), this.seconds(end)];
        if (!own) return [[to[0], to[1], "", suggested]];
        const [from, until] = [this.seconds(own[0]), this.seconds(own[1])];
        const label = this.data.metrics.classes[own[2]].name;
        if (from === to[0] && until === to[1]) return [[from, until, label, suggested]];
        const {unlabelled, metrics} = this.data;
        const around = unlabelled < 0 ? IGNORE : metrics.classes[unlabelled].name;
        return [[from, until, label, around], [to[0], to[1], "", suggested]];
    }

    private csv(): string {
        const rows = this.entries.flatMap((e) => this.lines(e).map((line) => {
            const {id, role, subject, kind, confidence} = e.mistake;
            return [id, ...line, role, subject, kind, confidence.toFixed(3)].map(field).join(",");
        }));
        return [this.data.mistakes!.header, ...rows].join("\n") + "\n";
    }

    private save(): void {
        const url = URL.createObjectURL(new Blob([this.csv()], {type: "text/csv"}));
        make("a", {href: url, download: "relabel.csv"}).click();
        setTimeout(() => URL.revokeObjectURL(url), 10000);
    }

    private update(): void {
        const n = this.entries.length;
        const test = this.entries.filter((e) => e.mistake.role === "test").length;
        this.words.textContent = n === 0 ?
            "None yet. “Send to relabel” puts a mistake here whose label is wrong. This browser keeps the list." :
            `${plural(n, "label")}. Put the file beside tinamou.yaml and name it in data.relabel; where a file is named there ` +
                "already, add these rows at its end. The next `tinamou run` makes a dataset with them, and `tinamou data " +
                "diff` shows what changed.";
        this.warning.textContent = test === 0 ? "" :
                                                `${test} of them ${test === 1 ? "is" : "are"} of test people. ` +
                "Labels that are mended there only where the model disagrees flatter it: change what anybody would call " +
                "wrong, and look for the same fault where the model agrees.";
        this.rows.replaceChildren(...this.entries.flatMap((e) => this.lines(e).map(([start, end, label, suggested]) => {
            const cells = [e.mistake.id, start, end, label || "new", suggested, e.mistake.role];
            const off = button("remove", "remove", () => this.remove(e.mistake));
            return make("tr", {}, ...cells.map((c) => make("td", {}, c)), make("td", {}, off));
        })));
        (this.download as HTMLButtonElement).disabled = n === 0;
    }
}
