/** Playing a film: buttons, a track to scrub with the story's steps and hazards on it, and a clock. */
import type { Film } from "../film.ts";
import { grouped, h, s } from "./dom.ts";

/** Milliseconds of a frame, by name. */
const SPEEDS = { slow: 1600, normal: 800, fast: 250 } as const;
type Speed = keyof typeof SPEEDS;

/** Icons as paths: fonts don't agree on them. */
const ICONS = {
  first: "M3 3h2v10H3zM13 3v10L6 8z",
  back: "M11 3v10L4 8z",
  play: "M4 2.5v11l9-5.5z",
  pause: "M4 3h3v10H4zM9 3h3v10H9z",
  forward: "M5 3v10l7-5z",
  last: "M11 3h2v10h-2zM3 3v10l7-5z",
} as const;
type IconName = keyof typeof ICONS;

const iconOf = (name: IconName): SVGElement =>
  s(
    "svg",
    { viewBox: "0 0 16 16", width: 16, height: 16, "aria-hidden": "true" },
    s("path", { d: ICONS[name], fill: "currentColor" }),
  );

/** What can be played: a film, or several in step. */
export interface Reel {
  readonly length: number;
  /** Where steps begin: positions in ascending order. */
  readonly stops: readonly number[];
  readonly marks: readonly {
    readonly at: number;
    readonly kind: string;
    readonly title: string;
    readonly from: number;
  }[];
}

export const reelOf = (film: Film): Reel => ({
  length: film.frames.length,
  stops: film.steps.map(({ first }) => first),
  marks: film.hazards
    .filter(({ frame }) => frame >= 0)
    .map((hazard) => ({ at: hazard.frame + 1, kind: hazard.kind, title: hazard.class, from: hazard.writeFrame + 1 })),
});

export class Transport {
  readonly element: HTMLElement;
  readonly #go: (position: number) => void;
  readonly #track = s("svg", { class: "track", preserveAspectRatio: "none", "aria-hidden": "true" });
  readonly #slider = h("input", {
    type: "range",
    min: 0,
    value: 0,
    step: 1,
    "aria-label": "Position",
    oninput: () => this.#scrub(),
  });
  readonly #count = h("output", { class: "count" });
  readonly #play: HTMLButtonElement;
  readonly #speed = h(
    "select",
    { "aria-label": "Speed", onchange: () => this.#restart() },
    ...Object.keys(SPEEDS).map((name) => h("option", { value: name, selected: name === "normal" }, name)),
  );
  #reel: Reel = { length: 0, stops: [], marks: [] };
  #position = 0;
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(go: (position: number) => void) {
    this.#go = go;
    const button = (label: string, icon: IconName, act: () => void, key: string) =>
      h("button", { type: "button", "aria-label": label, title: `${label} (${key})`, onclick: act }, iconOf(icon));
    this.#play = button("Play", "play", () => this.toggle(), "space");
    this.element = h(
      "div",
      { class: "transport" },
      h(
        "div",
        { class: "buttons", role: "group", "aria-label": "Playback" },
        button("Step of the story before", "first", () => this.stop(-1), "["),
        button("Back", "back", () => this.move(-1), "←"),
        this.#play,
        button("Forward", "forward", () => this.move(1), "→"),
        button("Next step of the story", "last", () => this.stop(1), "]"),
      ),
      h("div", { class: "scrub" }, this.#track, this.#slider),
      this.#count,
      this.#speed,
    );
  }

  setReel(reel: Reel): void {
    this.halt();
    this.#reel = reel;
    this.#slider.max = String(reel.length);
    const { length, stops, marks } = reel;
    this.#track.setAttribute("viewBox", `0 0 ${Math.max(1, length)} 20`);
    const bands = stops.map((from, index) =>
      s("rect", {
        class: index % 2 ? "band odd" : "band",
        x: from,
        y: 4,
        width: Math.max(0, (stops[index + 1] ?? length) - from),
        height: 12,
      }),
    );
    const thin = Math.max(length, 1) / 300;
    this.#track.replaceChildren(
      ...bands,
      ...marks.map(({ at, kind }) =>
        s("rect", {
          class: `mark ${kind}`,
          x: at - thin,
          y: kind === "latent" ? 11 : 2,
          width: 2 * thin,
          height: kind === "latent" ? 5 : 16,
        }),
      ),
      s("path", { class: "back-thread", "vector-effect": "non-scaling-stroke" }),
    );
  }

  /** Shows a position. */
  show(position: number): void {
    this.#position = position;
    this.#slider.value = String(position);
    this.#slider.setAttribute("aria-valuetext", `${position} of ${this.#reel.length}`);
    this.#count.textContent = `${grouped(position)} / ${grouped(this.#reel.length)}`;
    const here = this.#reel.marks.find(({ at, kind, from }) => at === position && kind !== "latent" && from > 0);
    const thread = this.#track.querySelector(".back-thread");
    thread?.setAttribute(
      "d",
      here === undefined ? "" : `M${here.at} 3Q${(here.at + here.from) / 2} -4 ${here.from} 3V18`,
    );
    if (position >= this.#reel.length) this.halt();
  }

  move(by: number): void {
    this.halt();
    this.#to(this.#position + by);
  }

  /** To where the next step of the story begins, or the one before. */
  stop(by: 1 | -1): void {
    this.halt();
    const places = [0, ...this.#reel.stops, this.#reel.length];
    const next = by > 0 ? places.find((at) => at > this.#position) : places.findLast((at) => at < this.#position);
    if (next !== undefined) this.#to(next);
  }

  end(isLast: boolean): void {
    this.halt();
    this.#to(isLast ? this.#reel.length : 0);
  }

  /** To the next hazard, from the last one round to the first. */
  hazard(): void {
    this.halt();
    const places = this.#reel.marks.map(({ at }) => at).sort((a, b) => a - b);
    const next = places.find((at) => at > this.#position) ?? places[0];
    if (next !== undefined) this.#to(next);
  }

  toggle(): void {
    if (this.#timer !== undefined) {
      this.halt();
      return;
    }
    if (this.#position >= this.#reel.length) this.#to(0);
    this.#timer = setInterval(() => this.#to(this.#position + 1), SPEEDS[this.#speed.value as Speed]);
    this.#play.replaceChildren(iconOf("pause"));
    this.#play.setAttribute("aria-label", "Pause");
  }

  halt(): void {
    if (this.#timer === undefined) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#play.replaceChildren(iconOf("play"));
    this.#play.setAttribute("aria-label", "Play");
  }

  /** What a key means here; whether it meant anything. */
  key(event: KeyboardEvent): boolean {
    const acts: Readonly<Record<string, () => void>> = {
      ArrowRight: () => (event.shiftKey ? this.stop(1) : this.move(1)),
      ArrowLeft: () => (event.shiftKey ? this.stop(-1) : this.move(-1)),
      "]": () => this.stop(1),
      "[": () => this.stop(-1),
      " ": () => this.toggle(),
      Home: () => this.end(false),
      End: () => this.end(true),
      h: () => this.hazard(),
    };
    const act = acts[event.key];
    act?.();
    return act !== undefined;
  }

  #to(position: number): void {
    this.#go(Math.max(0, Math.min(this.#reel.length, position)));
  }

  #scrub(): void {
    this.halt();
    this.#to(Number(this.#slider.value));
  }

  #restart(): void {
    if (this.#timer === undefined) return;
    this.halt();
    this.toggle();
  }
}
