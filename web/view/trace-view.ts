/** A trace dropped on the page, replayed in the worker: which core missed and shared when, and what went wrong. */
import { HEAT_METRICS, type Heat, type HeatMetric, type Progress } from "../protocol.ts";
import { Stopped } from "../studio.ts";
import { choice, counted, grouped, h } from "./dom.ts";
import { mostOf, paintHeat, SCALE_GRADIENT } from "./heat.ts";
import type { Page, View } from "./page.ts";

const FIRST_MACHINE = "host-100c";
const METRICS: Readonly<Record<HeatMetric, string>> = {
  misses: "L1 misses",
  sharing: "copies snooped or taken by others",
  accesses: "accesses",
};

export class TraceView implements View {
  readonly element: HTMLElement;
  readonly #page: Page;
  readonly #controls = h("form", {
    class: "controls wide",
    "aria-label": "Replay",
    onsubmit: (event) => event.preventDefault(),
  });
  readonly #file = h("input", {
    type: "file",
    class: "file",
    multiple: true,
    "aria-label": "Trace file",
    onchange: () => this.#chosen(this.#file.files),
  });
  readonly #progress = h("progress", { max: 1, value: 0, "aria-label": "Progress", hidden: true });
  readonly #cancel = h("button", { type: "button", hidden: true, onclick: () => this.#asked?.cancel() }, "Stop");
  readonly #canvas = h("canvas", {
    role: "img",
    tabindex: 0,
    "aria-label": "Heat map: cores by time. The arrow keys go from cell to cell",
    onkeydown: (event) => this.#walk(event as KeyboardEvent),
  });
  readonly #tip = h(
    "p",
    { class: "detail", "aria-live": "polite" },
    "Point at the map, or walk on it with the arrow keys.",
  );
  readonly #cursor = h("div", { class: "cursor", hidden: true });
  /** The cell that the tip tells of. */
  #cell = { column: 0, row: 0 };
  readonly #scale = h("div", { class: "scale" });
  readonly #result = h("div", { class: "heat", hidden: true });
  readonly #message = h("div", { "aria-live": "polite" });
  readonly #summary = h("div", { class: "summary" });
  readonly #rows = h("div", { class: "sockets", "aria-hidden": "true" });
  readonly #drop: HTMLElement;
  #asked: { cancel(): void } | undefined;
  #heat: Heat | undefined;
  #last: readonly File[] = [];
  #playedOn = "";

  constructor(page: Page) {
    this.#page = page;
    this.#drop = h(
      "label",
      { class: "drop" },
      h("strong", {}, "Drop a trace here"),
      h(
        "span",
        {},
        "or choose its file, or those of its threads: .swt, .raw64, .xz, .gz, .zst, dinero, lackey, drmemtrace (.zip too), gem5, ChampSim, perf. It stays on this computer.",
      ),
      this.#file,
    );
    this.element = h(
      "div",
      { class: "trace" },
      h("h2", {}, "A trace on a whole machine"),
      this.#controls,
      this.#drop,
      h("div", { class: "jumps" }, this.#progress, this.#cancel),
      this.#message,
      this.#result,
    );
    this.#result.append(
      h("div", { class: "heat-map" }, this.#rows, h("div", { class: "cells" }, this.#canvas, this.#cursor)),
      this.#scale,
      this.#tip,
      this.#summary,
    );
    this.#canvas.addEventListener("pointermove", (event) => this.#point(event));
    this.element.addEventListener("dragover", (event) => {
      event.preventDefault();
      this.#drop.classList.add("over");
    });
    this.element.addEventListener("dragleave", () => this.#drop.classList.remove("over"));
    this.element.addEventListener("drop", (event) => {
      event.preventDefault();
      this.#drop.classList.remove("over");
      this.#chosen(event.dataTransfer?.files ?? null);
    });
  }

  show(): void {
    const { catalogue, state } = this.#page;
    const machine = this.#machine();
    this.#controls.replaceChildren(
      choice(
        "Machine",
        catalogue.machines.map(({ name, title, cores }) => ({
          value: name,
          text: `${title} (${cores} ${cores === 1 ? "core" : "cores"})`,
        })),
        machine,
        (value) => this.#page.update({ trace: { ...state.trace, machine: value } }, true),
      ),
      choice(
        "Colour shows",
        HEAT_METRICS.map((value) => ({ value, text: METRICS[value] })),
        this.#metric(),
        (value) => this.#page.update({ trace: { ...state.trace, metric: value } }, true),
      ),
    );
    if (this.#heat) this.#draw(this.#heat);
    if (this.#last.length > 0 && this.#playedOn !== this.#wanted()) void this.#replay(this.#last);
  }

  /** Another machine, or another description of one's own, plays the trace again. */
  #wanted(): string {
    return JSON.stringify([this.#machine(), this.#page.state.own]);
  }

  #machine(): string {
    const { catalogue, state } = this.#page;
    return catalogue.machines.find(({ name }) => name === state.trace.machine)?.name ?? FIRST_MACHINE;
  }

  #metric(): HeatMetric {
    return HEAT_METRICS.find((name) => name === this.#page.state.trace.metric) ?? "misses";
  }

  #chosen(files: FileList | null): void {
    if (files !== null && files.length > 0) void this.#replay([...files]);
  }

  async #replay(files: readonly File[]): Promise<void> {
    this.#last = files;
    this.#playedOn = this.#wanted();
    this.#asked?.cancel();
    const report = (progress: Progress, partial?: Heat) => {
      if (this.#asked !== asked) return;
      this.#progress.value = progress.total === undefined || progress.total === 0 ? 0 : progress.done / progress.total;
      if (partial) this.#draw(partial);
    };
    const asked = this.#page.studio.ask("trace", { files, machine: this.#machine() }, report);
    this.#asked = asked;
    this.element.setAttribute("aria-busy", "true");
    for (const each of [this.#progress, this.#cancel]) each.hidden = false;
    this.#progress.value = 0;
    this.#message.replaceChildren();
    try {
      const heat = await asked.answer;
      if (this.#asked === asked) this.#draw(heat);
    } catch (error) {
      if (this.#asked !== asked) return;
      const text = error instanceof Stopped ? "Stopped." : (error as Error).message;
      this.#message.replaceChildren(h("p", { class: "verdict bad", role: "alert" }, text));
    }
    if (this.#asked !== asked) return;
    for (const each of [this.#progress, this.#cancel]) each.hidden = true;
    this.element.removeAttribute("aria-busy");
  }

  #draw(heat: Heat): void {
    this.#heat = heat;
    this.#result.hidden = false;
    this.#drop.classList.add("small");
    const metric = this.#metric();
    const most = mostOf(heat, metric);
    paintHeat(this.#canvas, heat, metric, most);
    this.#canvas.style.height = `${Math.max(60, Math.min(520, heat.cores.length * 20))}px`;
    const sockets = [...new Set(heat.cores.map(({ socket }) => socket))];
    this.#rows.replaceChildren(
      ...sockets.map((socket) => {
        const mine = heat.cores.filter((core) => core.socket === socket);
        return h(
          "span",
          { style: `flex: ${mine.length}` },
          `socket ${socket}`,
          h("small", {}, mine.length === 1 ? `core ${mine[0]?.id}` : `cores ${mine[0]?.id}–${mine.at(-1)?.id}`),
        );
      }),
    );
    this.#scale.replaceChildren(
      h("span", {}, "0"),
      h("span", { class: "ramp", style: `background: ${SCALE_GRADIENT}` }),
      h("span", {}, `${grouped(most)} ${METRICS[metric]} in ${grouped(heat.recordsPerColumn)} records`),
    );
    const rate = heat.seconds > 0 ? `, ${(heat.records / heat.seconds / 1e6).toFixed(1)} million a second here` : "";
    this.#summary.replaceChildren(
      h("p", {}, h("strong", {}, heat.trace), ` on ${heat.machine}: ${grouped(heat.records)} records${rate}`),
      levelsTable(heat),
      h(
        "p",
        { class: heat.hazards.length > 0 ? "unmet" : "" },
        heat.hazards.length === 0
          ? heat.isAssessed
            ? "No hazards."
            : "Hazards not assessed."
          : `Hazards: ${heat.hazards.map((each) => `${each.class} ${grouped(each.occurrences)}×`).join(", ")}.`,
      ),
      ...(heat.idleCores > 0 ? [h("p", { class: "note" }, `${counted(heat.idleCores, "more core")} did nothing`)] : []),
      ...heat.notes.map((note) => h("p", { class: "note" }, note)),
    );
  }

  #point(event: PointerEvent): void {
    const heat = this.#heat;
    if (heat === undefined) return;
    const { left, top, width, height } = this.#canvas.getBoundingClientRect();
    this.#tell(
      Math.floor(((event.clientX - left) / width) * heat.columns),
      Math.floor(((event.clientY - top) / height) * heat.cores.length),
    );
  }

  #walk(event: KeyboardEvent): void {
    const heat = this.#heat;
    const [right, down] = STEPS[event.key] ?? [];
    if (heat === undefined || right === undefined || down === undefined) return;
    event.preventDefault();
    const within = (value: number, count: number) => Math.max(0, Math.min(count - 1, value));
    const pace = event.shiftKey ? 10 : 1;
    this.#tell(
      within(this.#cell.column + pace * right, heat.columns),
      within(this.#cell.row + pace * down, heat.cores.length),
    );
  }

  /** Says what a cell is, and marks it. */
  #tell(column: number, row: number): void {
    const heat = this.#heat;
    const metric = this.#metric();
    const value = heat?.cells[metric][row * heat.columns + column];
    if (heat === undefined || value === undefined) return;
    this.#cell = { column, row };
    const percent = (part: number, whole: number) => `${(100 * part) / whole}%`;
    const { style } = this.#cursor;
    [style.left, style.width] = [percent(column, heat.columns), percent(1, heat.columns)];
    [style.top, style.height] = [percent(row, heat.cores.length), percent(1, heat.cores.length)];
    this.#cursor.hidden = false;
    const first = column * heat.recordsPerColumn;
    this.#tip.textContent = `core ${heat.cores[row]?.id}, from record ${grouped(first + 1)}: ${grouped(value)} ${METRICS[metric]}`;
  }
}

/** Columns and rows that an arrow key goes. */
const STEPS: Readonly<Record<string, readonly [right: number, down: number]>> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

function levelsTable(heat: Heat): HTMLElement {
  const percent = (part: number, whole: number) => (whole === 0 ? "–" : `${((100 * part) / whole).toFixed(2)} %`);
  return h(
    "table",
    {},
    h(
      "thead",
      {},
      h("tr", {}, ...["Level", "Accesses", "Misses", "Miss rate"].map((title) => h("th", { scope: "col" }, title))),
    ),
    h(
      "tbody",
      {},
      ...heat.levels.map(({ level, accesses, misses }) =>
        h(
          "tr",
          {},
          h("th", { scope: "row" }, level),
          h("td", {}, grouped(accesses)),
          h("td", {}, grouped(misses)),
          h("td", {}, percent(misses, accesses)),
        ),
      ),
    ),
  );
}
