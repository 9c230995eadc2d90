/** One story in two settings, side by side and in step: with a fix and without, by VA and by set/way, on two machines. */
import { type Film, Projector } from "../film.ts";
import { type Pairing, pairUp } from "../pairing.ts";
import type { Catalogue, CatalogueStory, Setting } from "../protocol.ts";
import { Stopped } from "../studio.ts";
import { choice, grouped, h } from "./dom.ts";
import { MachineMap } from "./map.ts";
import type { Page, View } from "./page.ts";
import { lacksRecording, recordingField, takeDropped, takeRecording } from "./recording.ts";
import { settingControls, settingOf } from "./setting.ts";
import { verdictOf } from "./telling.ts";
import { type Reel, reelOf, Transport } from "./transport.ts";

class Side {
  readonly map = new MachineMap();
  readonly controls = h("form", { class: "controls", onsubmit: (event) => event.preventDefault() });
  readonly verdict = h("div", { "aria-live": "polite" });
  readonly now = h("div", { class: "now" });
  readonly element: HTMLElement;
  projector: Projector | undefined;

  constructor(name: string) {
    this.controls.setAttribute("aria-label", `Setting ${name}`);
    this.element = h(
      "section",
      { class: "pane", "aria-label": `Setting ${name}` },
      h("div", { class: "pane-head" }, h("h3", {}, name), this.controls),
      this.verdict,
      this.map.element,
      this.now,
    );
  }

  open(film: Film): void {
    this.projector = new Projector(film);
    this.map.setFilm(film);
    this.verdict.replaceChildren(
      verdictOf(film),
      h("p", { class: "cost" }, `${grouped(film.records)} records, ${grouped(film.cycles)} cycles`),
    );
    this.element.classList.remove("failed");
  }

  fail(message: string): void {
    this.projector = undefined;
    this.element.classList.add("failed");
    this.verdict.replaceChildren(h("p", { class: "verdict bad", role: "alert" }, message));
  }

  show(position: number): void {
    const { projector } = this;
    if (projector === undefined) return;
    const moved = projector.position !== position;
    projector.seek(position);
    const frame = projector.film.frames[position - 1];
    this.map.show(projector.moment, frame);
    const step = frame === undefined ? undefined : projector.film.steps[frame.step];
    this.element.classList.toggle("waits", !moved && position > 0);
    this.now.replaceChildren(
      h("p", { class: "step" }, step?.text ?? "Before the first record"),
      h("p", { class: "record" }, frame?.text ?? ""),
      h("p", { class: "detail" }, frame?.detail ?? ""),
    );
  }
}

export class CompareView implements View {
  readonly element: HTMLElement;
  readonly #page: Page;
  readonly #sides = [new Side("A"), new Side("B")] as const;
  readonly #transport = new Transport((moment) => this.#go(moment));
  readonly #head = h("div", { class: "compare-head" });
  /** Asks for a recording, or says what became of one. */
  readonly #given = h("div", { "aria-live": "polite" });
  #pairing: Pairing = { pairs: [{ a: 0, b: 0 }], stops: [] };
  #shown = "";

  constructor(page: Page) {
    this.#page = page;
    this.element = h(
      "div",
      { class: "compare" },
      this.#head,
      this.#given,
      h("div", { class: "panes" }, ...this.#sides.map(({ element }) => element)),
      this.#transport.element,
    );
    takeDropped(this.element, (file) => void this.#take(file));
  }

  #take(file: File): Promise<void> {
    return takeRecording(this.#page, file, {
      view: this.element,
      told: this.#given,
      shown: () => {
        this.#shown = "";
        this.show();
      },
      failed: (message, story) => {
        this.#given.replaceChildren(h("p", { class: "verdict bad", role: "alert" }, message));
        if (story.traces.length > 0) this.#given.append(recordingField(story, (each) => void this.#take(each)));
      },
    });
  }

  show(): void {
    const { catalogue, state } = this.#page;
    const { story, setting } = settingOf(catalogue, state.setting);
    const other = otherOf(catalogue, story, setting, state.other);
    this.#head.replaceChildren(
      choice(
        "Story",
        catalogue.stories.map(({ name, number }) => ({ value: name, text: `${number ?? ""} · ${name}` })),
        story.name,
        (name) => this.#page.update({ setting: { story: name }, other: {}, at: 0, code: undefined }, true),
      ),
      h("h2", {}, story.title),
    );
    const [a, b] = this.#sides;
    a.controls.replaceChildren(
      ...settingControls(catalogue, story, setting, (changes) =>
        this.#page.update({ setting: { ...setting, ...changes }, other }, true),
      ),
    );
    b.controls.replaceChildren(
      ...settingControls(catalogue, story, other, (changes) =>
        this.#page.update({ other: { ...other, ...changes } }, true),
      ),
    );
    const wanted = JSON.stringify([setting, other, state.own]);
    if (wanted === this.#shown) {
      this.#go(state.at, false);
      return;
    }
    this.#shown = wanted;
    this.#given.replaceChildren();
    this.element.setAttribute("aria-busy", "true");
    void this.#load(wanted, story, [setting, other]);
  }

  hide(): void {
    this.#transport.halt();
  }

  key(event: KeyboardEvent): boolean {
    return this.#transport.key(event);
  }

  async #load(wanted: string, story: CatalogueStory, settings: readonly Setting[]): Promise<void> {
    const films = await Promise.all(settings.map((setting) => this.#film(setting)));
    if (wanted !== this.#shown) return;
    films.forEach((film, index) => {
      const side = this.#sides[index] as Side;
      if (typeof film === "string") side.fail(film);
      else side.open(film);
    });
    this.element.removeAttribute("aria-busy");
    if (films.some((film) => typeof film === "string" && lacksRecording(film)))
      this.#given.replaceChildren(recordingField(story, (file) => void this.#take(file)));
    this.element.classList.toggle(
      "failed",
      films.every((film) => typeof film === "string"),
    );
    const [a, b] = films;
    if (typeof a !== "object" || typeof b !== "object") return;
    this.#pairing = pairUp(a, b);
    const { at } = this.#page.state;
    const reel = pairedReel(this.#pairing, a, b);
    this.#transport.setReel(reel);
    const worst = reel.marks.find(({ kind }) => kind !== "latent")?.at ?? reel.length;
    this.#go(at > 0 ? at : worst, at > 0);
  }

  /** The film, or why there is none. */
  async #film(setting: Setting): Promise<Film | string> {
    try {
      const result = await this.#page.studio.ask("film", { setting, base: document.baseURI }).answer;
      return "skipped" in result ? `Not played: ${result.skipped}.` : result.film;
    } catch (error) {
      return error instanceof Stopped ? "Stopped." : (error as Error).message;
    }
  }

  #go(moment: number, remember = true): void {
    const { pairs } = this.#pairing;
    const at = Math.max(0, Math.min(pairs.length - 1, moment));
    const { a, b } = pairs[at] ?? { a: 0, b: 0 };
    this.#sides[0].show(a);
    this.#sides[1].show(b);
    this.#transport.show(at);
    if (remember) this.#page.update({ at });
  }
}

/** The other side: what was chosen, else the first fix that the one side doesn't have, else no fix at all. */
function otherOf({ machines }: Catalogue, story: CatalogueStory, setting: Setting, chosen: Partial<Setting>): Setting {
  const fix = story.fixes.map(([name]) => name).find((name) => !setting.fixes.includes(name));
  const fixes = setting.fixes.length > 0 ? [] : fix === undefined ? [] : [fix];
  const known = chosen.fixes?.filter((name) => story.fixes.some(([each]) => each === name));
  return {
    story: story.name,
    machine: machines.find(({ name }) => name === chosen.machine)?.name ?? setting.machine,
    era: story.eras.find((era) => era === chosen.era) ?? setting.era,
    fixes: known ?? fixes,
  };
}

/** Hazards of either film where their moment comes. */
function pairedReel({ pairs, stops }: Pairing, a: Film, b: Film): Reel {
  const marks = [
    ...reelOf(a).marks.map((mark) => ({ ...mark, at: pairs.findIndex((pair) => pair.a >= mark.at), from: 0 })),
    ...reelOf(b).marks.map((mark) => ({ ...mark, at: pairs.findIndex((pair) => pair.b >= mark.at), from: 0 })),
  ];
  return { length: pairs.length - 1, stops, marks: marks.filter(({ at }) => at >= 0) };
}
