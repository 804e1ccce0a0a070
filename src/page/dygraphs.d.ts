// The part of dygraphs 2.2 that the pages use (https://dygraphs.com/options.html, jsdoc); Debian ships no type
// declarations of it.
declare module "dygraphs/dygraph.min.js" {
    export default class Dygraph {
        constructor(element: HTMLElement, data: (number|null)[][], options: Record<string, unknown>);
        destroy(): void;
        resize(): void;
        updateOptions(options: Record<string, unknown>): void;
        toDomXCoord(x: number): number;
        toDataXCoord(x: number): number;
        getArea(): {x: number; y: number; w: number; h: number};
        xAxisRange(): [number, number];
    }
}
declare module "dygraphs/dygraph.css";
