/** One story: its setting on the left, the machine in the middle, what happens and what goes wrong on the right. */
import { type Film, type Frame, Projector } from "../film.ts";
import type { Setting } from "../protocol.ts";
import { Stopped } from "../studio.ts";
import { LineBytes } from "./bytes.ts";
import { CodePanel } from "./code.ts";
import { choice, grouped, h } from "./dom.ts";
import { MachineMap } from "./map.ts";
import type { Page, View } from "./page.ts";
import { lacksRecording, recordingField, takeDropped, takeRecording } from "./recording.ts";
import { settingControls, settingOf } from "./setting.ts";
import { Hazards, Steps, verdictOf } from "./telling.ts";
import { reelOf, Transport } from "./transport.ts";

export class StoryView implements View {
  readonly element: HTMLElement;
  readonly #page: Page;
  readonly #map = new MachineMap();
  readonly #transport = new Transport((position) => this.#go(position));
  readonly #steps = new Steps();
  readonly #hazards = new Hazards();
  readonly #code: CodePanel;
  readonly #bytes = new LineBytes((line) => {
    this.#line = line;
    this.#go(this.#projector?.position ?? 0, false);
  });
  /** Whose bytes are shown; until one is chosen, that of the last hazard or change. */
  #line: number | undefined;
  readonly #controls = h("form", {
    class: "controls",
    "aria-label": "Setting",
    onsubmit: (event) => event.preventDefault(),
  });
  readonly #title = h("h2", {}, "");
  readonly #verdict = h("div", { "aria-live": "polite" });
  /** What became of a file that was dropped. */
  readonly #given = h("div", { "aria-live": "polite" });
  readonly #now = h("div", { class: "now" });
  #projector: Projector | undefined;
  /** What the film was made of; another setting makes another film. */
  #shown = "";

  constructor(page: Page) {
    this.#page = page;
    this.#code = new CodePanel(page, (code) => page.update({ code, at: 0 }, true));
    this.element = h(
      "div",
      { class: "story" },
      h(
        "div",
        { class: "columns" },
        h("aside", { class: "side", "aria-label": "What is played" }, this.#controls),
        h(
          "section",
          { class: "stage", "aria-label": "What the caches do" },
          this.#title,
          this.#verdict,
          this.#given,
          this.#map.element,
          this.#now,
          this.#transport.element,
          this.#bytes.element,
        ),
        h(
          "aside",
          { class: "side telling", "aria-label": "What becomes of it" },
          h("h2", {}, "What happens"),
          this.#steps.element,
          h("h2", {}, "What goes wrong"),
          this.#hazards.element,
        ),
      ),
      this.#code.element,
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
        if (story.traces.length > 0) this.#skip(message, true);
        else this.#given.replaceChildren(h("p", { class: "verdict bad", role: "alert" }, message));
      },
    });
  }

  show(): void {
    const { catalogue, state } = this.#page;
    const { story, setting } = settingOf(catalogue, state.setting);
    const change = (changes: Partial<Setting>) => this.#page.update({ setting: { ...setting, ...changes } }, true);
    const focused = document.activeElement?.getAttribute("name");
    this.#controls.replaceChildren(
      choice(
        "Story",
        catalogue.stories.map(({ name, number }) => ({
          value: name,
          text: number === undefined ? name : `${number} · ${name}`,
        })),
        story.name,
        (name) => this.#page.update({ setting: { story: name }, at: 0, code: undefined }, true),
      ),
      ...settingControls(catalogue, story, setting, change),
      h("details", { class: "about" }, h("summary", {}, "Where this comes from"), h("p", {}, story.source)),
    );
    if (focused) this.#controls.querySelector<HTMLElement>(`[name="${focused}"]`)?.focus();
    const wanted = JSON.stringify([setting, state.code, state.own]);
    this.#code.show(setting, state.code);
    if (wanted === this.#shown && this.#projector !== undefined) {
      this.#go(state.at, false);
      return;
    }
    this.#shown = wanted;
    this.#given.replaceChildren();
    this.#title.textContent = story.title;
    this.element.setAttribute("aria-busy", "true");
    if (story.traces.length > 0) {
      const text = "Plays a recording of millions of records: this can take half a minute.";
      this.#verdict.replaceChildren(h("p", { class: "verdict" }, text));
    }
    void this.#load(wanted, setting, state.code);
  }

  hide(): void {
    this.#transport.halt();
  }

  key(event: KeyboardEvent): boolean {
    if (this.#transport.key(event)) return true;
    if (event.key === "c") {
      this.#code.toggle();
      return true;
    }
    const fix = /^[1-9]$/.test(event.key)
      ? this.#controls.querySelectorAll<HTMLInputElement>(".fix input")[Number(event.key) - 1]
      : undefined;
    fix?.click();
    return fix !== undefined;
  }

  async #load(wanted: string, setting: Setting, code: string | undefined): Promise<void> {
    try {
      const { answer } = this.#page.studio.ask("film", { setting, code, base: document.baseURI });
      const result = await answer;
      if (wanted !== this.#shown) return;
      if ("skipped" in result) this.#skip(result.skipped);
      else this.#open(result.film);
    } catch (error) {
      if (wanted === this.#shown) this.#fail(error instanceof Stopped ? "Stopped." : (error as Error).message);
    }
    if (wanted === this.#shown) this.element.removeAttribute("aria-busy");
  }

  #open(film: Film): void {
    this.#projector = new Projector(film);
    this.element.classList.remove("failed");
    this.#title.textContent = film.story.title;
    this.#verdict.replaceChildren(verdictOf(film));
    this.#map.setFilm(film);
    this.#bytes.setFilm(film);
    this.#line = undefined;
    this.#transport.setReel(reelOf(film));
    this.#steps.setFilm(film, (position) => this.#go(position));
    this.#hazards.setFilm(film, (position) => this.#go(position));
    // A film that nobody has wound yet is shown where it goes wrong, or at its end.
    const { at } = this.#page.state;
    const worst = film.hazards.find(({ kind, frame }) => kind !== "latent" && frame >= 0);
    this.#go(at > 0 ? at : worst === undefined ? film.frames.length : worst.frame + 1, at > 0);
  }

  /** Says why a story isn't played; one that lacks a recording, or was given none, can be given another. */
  #skip(reason: string, wantsRecording = lacksRecording(reason)): void {
    this.#fail(`Not played: ${reason}.`);
    if (!wantsRecording) return;
    const { story } = settingOf(this.#page.catalogue, this.#page.state.setting);
    this.#verdict.append(recordingField(story, (file) => void this.#take(file)));
  }

  #fail(message: string): void {
    this.#projector = undefined;
    this.element.classList.add("failed");
    this.#verdict.replaceChildren(h("p", { class: "verdict bad", role: "alert" }, message));
  }

  #go(position: number, remember = true): void {
    const projector = this.#projector;
    if (projector === undefined) return;
    projector.seek(position);
    const { film, moment } = projector;
    const at = projector.position;
    const frame = film.frames[at - 1];
    this.#map.show(moment, frame);
    this.#bytes.show(moment, this.#line ?? lineAt(film, at));
    this.#transport.show(at);
    this.#steps.show(at);
    this.#hazards.show(at);
    const first = frame === undefined ? "" : recordsText(frame);
    this.#now.replaceChildren(
      h("p", { class: "record" }, frame === undefined ? "Before the first record" : frame.text, h("small", {}, first)),
      h("p", { class: "detail" }, frame?.detail ?? ""),
    );
    if (remember) this.#page.update({ at });
  }
}

/** The line that a frame is about: of its hazard, or the first that changes or moves. */
function lineAt(film: Film, position: number): number {
  const frame = film.frames[position - 1];
  const hazards = (frame?.hazards ?? []).map((index) => film.hazards[index]?.line ?? -1);
  return hazards.find((line) => line >= 0) ?? frame?.changes[0]?.line ?? frame?.moves[0]?.line ?? 0;
}

/** Numbers as explanations have them: from 0. */
function recordsText({ first, count }: Frame): string {
  if (count === 0) return `before record ${grouped(first)}`;
  return count === 1 ? `record ${grouped(first)}` : `records ${grouped(first)} to ${grouped(first + count - 1)}`;
}
