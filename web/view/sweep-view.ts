/** A loop over sets and ways, animated over the geometry of every cache on core 0's path. */
import type { Sweep, SweptCache } from "../protocol.ts";
import { choice, grouped, h } from "./dom.ts";
import type { Page, View } from "./page.ts";
import { Transport } from "./transport.ts";

const FIRST = { machine: "kunpeng916-2s", routine: "flushDcacheAll", size: "256KiB" } as const;
/** How much is written before the loop. */
const SIZES: Readonly<Record<string, number>> = {
  "16KiB": 16 << 10,
  "64KiB": 64 << 10,
  "256KiB": 256 << 10,
  "1MiB": 1 << 20,
};

export class SweepView implements View {
  readonly element: HTMLElement;
  readonly #page: Page;
  readonly #controls = h("form", {
    class: "controls wide",
    "aria-label": "Loop",
    onsubmit: (event) => event.preventDefault(),
  });
  readonly #caches = h("div", { class: "swept" });
  readonly #now = h("div", { class: "now", "aria-live": "polite" });
  readonly #transport = new Transport((frame) => this.#go(frame));
  #sweep: Sweep | undefined;
  #canvases: { readonly cache: SweptCache; readonly canvas: HTMLCanvasElement; readonly count: HTMLElement }[] = [];
  #shown = "";

  constructor(page: Page) {
    this.#page = page;
    this.element = h(
      "div",
      { class: "sweep" },
      h("h2", {}, "What a loop over all sets and ways reaches"),
      h(
        "p",
        { class: "lead" },
        "Core 0 has written a block of memory. Then it cleans and invalidates by set/way, with the operands that CLIDR_EL1 and CCSIDR_EL1 give it. Columns are sets, rows are ways.",
      ),
      this.#controls,
      this.#caches,
      this.#now,
      this.#transport.element,
      h(
        "ul",
        { class: "key" },
        ...(["empty", "clean", "dirty"] as const).map((kind) =>
          h("li", {}, h("span", { class: `swatch ${kind}` }), kind),
        ),
      ),
    );
  }

  show(): void {
    const { catalogue, state } = this.#page;
    const chosen = { ...FIRST, ...state.sweep };
    const change = (changes: object) => this.#page.update({ sweep: { ...chosen, ...changes, at: 0 } }, true);
    const machine = catalogue.machines.some(({ name }) => name === chosen.machine) ? chosen.machine : FIRST.machine;
    const routine = catalogue.routines.some(({ name }) => name === chosen.routine) ? chosen.routine : FIRST.routine;
    const size = chosen.size in SIZES ? chosen.size : FIRST.size;
    this.#controls.replaceChildren(
      choice(
        "Machine",
        catalogue.machines.map(({ name, title }) => ({ value: name, text: title })),
        machine,
        (value) => change({ machine: value }),
      ),
      choice(
        "Loop",
        catalogue.routines.map(({ name, source, order }) => ({
          value: name,
          text: `${source.replace(":", ": ")} (${order})`,
        })),
        routine,
        (value) => change({ routine: value }),
      ),
      choice(
        "Written before",
        Object.keys(SIZES).map((value) => ({ value })),
        size,
        (value) => change({ size: value }),
      ),
    );
    const wanted = JSON.stringify([machine, routine, size, state.own]);
    if (wanted === this.#shown) {
      this.#go(state.sweep.at ?? 0, false);
      return;
    }
    this.#shown = wanted;
    this.element.setAttribute("aria-busy", "true");
    void this.#load(wanted, machine, routine, SIZES[size] ?? 0);
  }

  hide(): void {
    this.#transport.halt();
  }

  key(event: KeyboardEvent): boolean {
    return this.#transport.key(event);
  }

  async #load(wanted: string, machine: string, routine: string, footprint: number): Promise<void> {
    try {
      const sweep = await this.#page.studio.ask("sweep", { machine, routine, footprint }).answer;
      if (wanted === this.#shown) this.#open(sweep);
    } catch (error) {
      this.#now.replaceChildren(h("p", { class: "verdict bad", role: "alert" }, (error as Error).message));
    }
    this.element.removeAttribute("aria-busy");
  }

  #open(sweep: Sweep): void {
    this.#sweep = sweep;
    this.#canvases = sweep.caches.map((cache) => {
      const canvas = h("canvas", {
        width: cache.columns,
        height: cache.ways,
        role: "img",
        "aria-label": `Sets and ways of ${cache.label}`,
        style: `aspect-ratio: auto; height: ${Math.min(150, Math.max(36, cache.ways * 8))}px`,
      });
      return { cache, canvas, count: h("output", {}) };
    });
    this.#caches.replaceChildren(
      ...this.#canvases.map(({ cache, canvas, count }) =>
        h(
          "section",
          { class: `cache ${cache.isReached ? "" : "beyond"}` },
          h(
            "h3",
            {},
            cache.label,
            h("small", {}, `${cache.size} · ${grouped(cache.sets)} sets × ${cache.ways} ways`),
            count,
          ),
          canvas,
          !cache.isReached && h("p", { class: "note" }, "CLIDR_EL1 doesn't list it: no set/way operation reaches it."),
        ),
      ),
      ...(sweep.caches.length === 0 ? [h("p", { class: "none" }, "This machine has no data caches.")] : []),
    );
    this.#transport.setReel({ length: sweep.operations.length - 1, stops: [0], marks: [] });
    this.#go(this.#page.state.sweep.at ?? 0, false);
  }

  #go(position: number, remember = true): void {
    const sweep = this.#sweep;
    if (sweep === undefined) return;
    const at = Math.max(0, Math.min(sweep.operations.length - 1, position));
    for (const { cache, canvas, count } of this.#canvases) {
      paint(canvas, cache, at);
      count.textContent = `${grouped(cache.dirty[at] ?? 0)} dirty`;
    }
    const done = sweep.operations[at] ?? 0;
    const left = sweep.dirtyInMemoryPath[at] ?? 0;
    const isOver = at === sweep.operations.length - 1;
    this.#now.replaceChildren(
      h(
        "p",
        { class: "record" },
        `${grouped(done)} of ${grouped(sweep.totalOperations)} operations`,
        h("small", {}, sweep.operands[at] ?? ""),
      ),
      h(
        "p",
        { class: isOver && left > 0 ? "detail unmet" : "detail" },
        isOver
          ? left > 0
            ? `The loop is over, and ${grouped(left)} dirty lines are still above the Point of Coherency.`
            : `The loop is over, everything is in memory: ${grouped(sweep.cycles)} cycles.`
          : `${grouped(left)} dirty lines above the Point of Coherency`,
      ),
    );
    this.#transport.show(at);
    if (remember) this.#page.update({ sweep: { ...this.#page.state.sweep, at } });
  }
}

/** One pixel a cell. */
function paint(canvas: HTMLCanvasElement, cache: SweptCache, at: number): void {
  const context = canvas.getContext("2d");
  const cells = cache.cells[at];
  if (context === null || cells === undefined) return;
  const style = getComputedStyle(canvas);
  const colours = ["--cell-empty", "--cell-clean", "--cell-dirty"].map((name) => rgb(style.getPropertyValue(name)));
  const image = context.createImageData(canvas.width, canvas.height);
  for (let x = 0; x < canvas.width; x++) {
    for (let way = 0; way < cache.ways; way++) {
      const colour = colours[cells[x * cache.ways + way] ?? 0] as readonly number[];
      image.data.set([...colour, 255], 4 * (way * canvas.width + x));
    }
  }
  context.putImageData(image, 0, 0);
}

const rgb = (text: string): readonly number[] =>
  [1, 3, 5].map((at) => Number.parseInt(text.trim().slice(at, at + 2), 16));
