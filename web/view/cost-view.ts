/** What workarounds cost: a study's parameters as fields, its rows as a chart and as a table. */
import uPlot from "uplot";
import type { CostSheet } from "../protocol.ts";
import { Stopped } from "../studio.ts";
import { choice, h } from "./dom.ts";
import type { Page, View } from "./page.ts";

/** Told apart by people who see colours differently (Okabe and Ito); each line has its dashes too. */
const COLOURS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#b8860b", "#56b4e9"];
const DASHES = [[], [7, 4], [2, 3], [9, 3, 2, 3]];
const MOST_SERIES = 12;
/** Beyond a factor of this much between smallest and largest an axis is logarithmic. */
const LOGARITHMIC_FROM = 30;

export class CostView implements View {
  readonly element: HTMLElement;
  readonly #page: Page;
  readonly #controls = h("form", {
    class: "controls wide",
    "aria-label": "Study",
    onsubmit: (event) => this.#submit(event),
  });
  readonly #summary = h("p", { class: "lead" });
  readonly #progress = h("progress", { max: 1, value: 0, "aria-label": "Progress", hidden: true });
  readonly #cancel = h("button", { type: "button", hidden: true, onclick: () => this.#asked?.cancel() }, "Stop");
  readonly #message = h("div", { "aria-live": "polite" });
  readonly #chart = h("div", { class: "chart" });
  readonly #table = h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "Rows" });
  readonly #notes = h("ul", { class: "notes" });
  #plot: uPlot | undefined;
  #sheet: CostSheet | undefined;
  #asked: { cancel(): void } | undefined;
  #shown = "";

  constructor(page: Page) {
    this.#page = page;
    this.element = h(
      "div",
      { class: "costs" },
      h("h2", {}, "What it costs"),
      this.#summary,
      this.#controls,
      h("div", { class: "jumps" }, this.#progress, this.#cancel),
      this.#message,
      this.#chart,
      this.#table,
      this.#notes,
    );
    new ResizeObserver(() => this.#plot?.setSize({ width: this.#chart.clientWidth, height: HEIGHT })).observe(
      this.#chart,
    );
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#sheet && this.#draw(this.#sheet));
  }

  show(): void {
    const { catalogue, state } = this.#page;
    const study = catalogue.studies.find(({ name }) => name === state.cost.study) ?? catalogue.studies[0];
    if (study === undefined) return;
    const machine = catalogue.machines.find(({ name }) => name === state.cost.machine)?.name ?? study.machine;
    const known = Object.entries(state.cost.parameters).filter(([name]) =>
      study.parameters.some((each) => each.name === name),
    );
    const parameters = Object.fromEntries(known);
    this.#summary.textContent = study.summary;
    this.#controls.replaceChildren(
      choice(
        "Study",
        catalogue.studies.map(({ name }) => ({ value: name })),
        study.name,
        (name) => this.#page.update({ cost: { study: name, parameters: {} } }, true),
      ),
      choice(
        "Machine",
        catalogue.machines.map(({ name, title }) => ({ value: name, text: title })),
        machine,
        (value) => this.#page.update({ cost: { ...state.cost, study: study.name, machine: value } }, true),
      ),
      ...study.parameters.map(({ name, summary, default: normal, expects }) =>
        h(
          "label",
          { class: "field", title: `${summary}; ${expects}` },
          h("span", {}, name),
          h("input", { type: "text", name, value: parameters[name] ?? normal, spellcheck: "false" }),
        ),
      ),
      h("button", { class: "primary" }, "Play"),
    );
    const wanted = JSON.stringify([study.name, machine, parameters, state.own]);
    if (wanted === this.#shown) return;
    this.#shown = wanted;
    void this.#load(study.name, machine, parameters);
  }

  #submit(event: Event): void {
    event.preventDefault();
    const { catalogue, state } = this.#page;
    const study = catalogue.studies.find(({ name }) => name === state.cost.study) ?? catalogue.studies[0];
    const texts = [...this.#controls.querySelectorAll<HTMLInputElement>("input[type=text]")]
      .filter(({ name, value }) => value !== study?.parameters.find((each) => each.name === name)?.default)
      .map(({ name, value }) => [name, value] as const);
    this.#page.update({ cost: { ...state.cost, parameters: Object.fromEntries(texts) } }, true);
  }

  async #load(study: string, machine: string, parameters: Readonly<Record<string, string>>): Promise<void> {
    this.#asked?.cancel();
    const asked = this.#page.studio.ask("cost", { study, machine, parameters }, ({ done, total }) => {
      this.#progress.value = total === undefined ? 0 : done / total;
    });
    this.#asked = asked;
    this.element.setAttribute("aria-busy", "true");
    for (const each of [this.#progress, this.#cancel]) each.hidden = false;
    this.#message.replaceChildren();
    try {
      const sheet = await asked.answer;
      if (this.#asked === asked) this.#draw(sheet);
    } catch (error) {
      const text = error instanceof Stopped ? "Stopped." : (error as Error).message;
      if (this.#asked === asked) this.#message.replaceChildren(h("p", { class: "verdict bad", role: "alert" }, text));
    }
    if (this.#asked !== asked) return;
    for (const each of [this.#progress, this.#cancel]) each.hidden = true;
    this.element.removeAttribute("aria-busy");
  }

  #draw(sheet: CostSheet): void {
    this.#sheet = sheet;
    this.#plot?.destroy();
    this.#plot = new uPlot(
      optionsOf(sheet, this.#chart),
      [[...sheet.chart.x], ...seriesOf(sheet).map(({ y }) => [...y])],
      this.#chart,
    );
    this.#table.replaceChildren(
      h(
        "table",
        {},
        h(
          "thead",
          {},
          h("tr", {}, ...sheet.columns.map(({ title, summary }) => h("th", { scope: "col", title: summary }, title))),
        ),
        h("tbody", {}, ...sheet.rows.map((row) => h("tr", {}, ...row.map((cell) => h("td", {}, cell))))),
      ),
    );
    const left = sheet.chart.series.length - MOST_SERIES;
    this.#notes.replaceChildren(
      ...(left > 0
        ? [h("li", {}, `the chart leaves out ${left} lines of ${sheet.chart.series.length}: choose fewer values`)]
        : []),
      ...sheet.notes.map((note) => h("li", {}, note)),
    );
  }
}

const HEIGHT = 340;

const seriesOf = ({ chart }: CostSheet) => chart.series.slice(0, MOST_SERIES);

function optionsOf(sheet: CostSheet, place: HTMLElement): uPlot.Options {
  const { chart } = sheet;
  const style = getComputedStyle(place);
  const [ink, rule] = [style.getPropertyValue("--ink"), style.getPropertyValue("--rule")];
  const axis: uPlot.Axis = {
    labelFont: "600 12px system-ui, sans-serif",
    font: "12px system-ui, sans-serif",
    stroke: ink,
    grid: { stroke: rule, width: 1 },
    ticks: { stroke: rule, width: 1 },
  };
  const { words } = chart;
  const xIsLog = words === undefined && isWide(chart.x);
  const ys = seriesOf(sheet).flatMap(({ y }) => y.filter((value): value is number => value !== null));
  return {
    title: chart.title,
    width: Math.max(280, place.clientWidth),
    height: HEIGHT,
    scales: {
      x: { time: false, ...(xIsLog ? { distr: 3, log: 2 } : {}) },
      y: isWide(ys) ? { distr: 3, log: 10 } : { range: (_, __, most) => [0, most * 1.05] },
    },
    axes: [
      {
        ...axis,
        label: chart.xTitle,
        values: (_, ticks) =>
          ticks.map((tick) => (tick === null ? "" : (words?.[tick] ?? (words ? "" : short(tick, chart.isBytes))))),
        ...(words ? { splits: words.map((_, index) => index) } : {}),
      },
      {
        ...axis,
        label: chart.yTitle,
        size: 72,
        values: (_, ticks) => ticks.map((tick) => (tick === null ? "" : short(tick, false))),
      },
    ],
    series: [
      {
        label: chart.xTitle.split(":")[0] ?? "",
        value: (_, value) => (value === null ? "–" : (words?.[value] ?? short(value, chart.isBytes))),
      },
      ...seriesOf(sheet).map(({ label }, index) => ({
        label,
        stroke: COLOURS[index % COLOURS.length] as string,
        dash: DASHES[Math.floor(index / COLOURS.length) % DASHES.length] as number[],
        width: 2,
        points: { show: true, size: 6 },
        value: (_: uPlot, value: number | null) => (value === null ? "–" : short(value, false)),
      })),
    ],
  };
}

function isWide(values: readonly number[]): boolean {
  const positive = values.filter((value) => value > 0);
  return positive.length === values.length && Math.max(...positive) / Math.min(...positive) >= LOGARITHMIC_FROM;
}

/** `1.5 k`, `20 M`, and in bytes `64 KiB`. */
function short(value: number, isBytes: boolean): string {
  const [base, names] = isBytes
    ? ([1024, ["", "KiB", "MiB", "GiB", "TiB"]] as const)
    : ([1000, ["", "k", "M", "G", "T"]] as const);
  let at = 0;
  let left = value;
  while (left >= base && at < names.length - 1) {
    left /= base;
    at++;
  }
  return `${Number(left.toPrecision(3))}${names[at] === "" ? "" : ` ${names[at]}`}`;
}
