// Small helpers: elements, numbers in words, tables, colours.

export type Figure = number|null;
export type Pair = [Figure, Figure];

type Child = Node|string|null;

// Text always goes in as text, never as HTML: names come from the user's files.
export function make(tag: string, attributes: Record<string, string> = {}, ...children: Child[]): HTMLElement {
    const element = document.createElement(tag);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    for (const child of children)
        if (child !== null) element.append(child);
    return element;
}

export function svg(tag: string, attributes: Record<string, string|number>, text = ""): SVGElement {
    const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value));
    element.textContent = text;
    return element;
}

export function section(title: string, ...children: Child[]): HTMLElement {
    return make("section", {}, make("h2", {}, title), ...children);
}

export function number(value: Figure|undefined, digits = 2): string {
    return value === null || value === undefined ? "–" : value.toFixed(digits);
}

export function seconds(value: Figure|undefined): string {
    return value === null || value === undefined ? "–" : value.toFixed(2) + "\u00a0s";
}

export function percent(value: Figure|undefined, digits = 1): string {
    return value === null || value === undefined ? "–" : (100 * value).toFixed(digits) + "\u00a0%";
}

// Rates run from thousandths to thousands.
export function rate(value: Figure|undefined): string {
    if (value === null || value === undefined) return "–";
    return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);
}

export function plural(count: number, noun: string): string {
    return count.toLocaleString("en") + " " + noun + (count === 1 ? "" : "s");
}

// "" where there is no interval, as with one person.
export function range(before: string, pair: Pair, show: (value: Figure) => string): string {
    return pair[0] === null || pair[1] === null ? "" : before + show(pair[0]) + " to " + show(pair[1]);
}

export function sentence(...parts: string[]): string {
    return parts.filter((part) => part !== "").join("; ");
}

// First row is the head; cells of the first column are row heads; the others are right-aligned numbers.
export function table(rows: (string|Node)[][], className = ""): HTMLElement {
    const head = make("tr", {}, ...rows[0].map((cell) => make("th", {scope: "col"}, cell)));
    const body = rows.slice(1).map(
        (row) => make(
            "tr", {}, ...row.map((cell, i) => (i === 0 ? make("th", {scope: "row"}, cell) : make("td", {}, cell)))),
    );
    return make(
        "div", {class: "scroll"},
        make("table", {class: className}, make("thead", {}, head), make("tbody", {}, ...body)));
}

export function choice(label: string, options: string[], changed: (index: number) => void): HTMLElement {
    const select =
        make("select", {}, ...options.map((text, i) => make("option", {value: String(i)}, text))) as HTMLSelectElement;
    select.addEventListener("change", () => changed(Number(select.value)));
    return make("label", {}, label + " ", select);
}

export function dark(): boolean {
    return matchMedia("(prefers-color-scheme: dark)").matches;
}

export function theme(name: string): string {
    return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

// Okabe and Ito's palette, told apart with every kind of colour vision; yellow and black do not show on both
// backgrounds.
const PALETTE = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9"];
const PALETTE_DARK = ["#4ba3e3", "#ff8a3d", "#2fc79b", "#e29cc4", "#f0b840", "#8fd0f5"];

export function colour(index: number): string {
    const palette = dark() ? PALETTE_DARK : PALETTE;
    return palette[index % palette.length];
}

// Charts paint on a canvas, which style sheets do not reach: they are drawn again when the scheme changes.
export function redrawOnScheme(draw: () => void): void {
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
    draw();
}

export function grid(): Record<string, unknown> {
    return {gridLineColor: theme("--line"), axisLineColor: theme("--line"), axisLabelFontSize: 12};
}
