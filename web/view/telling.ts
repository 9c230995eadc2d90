/** The film in words: steps of the story as they are reached, and the hazards with what explains them. */
import type { Film, FilmHazard } from "../film.ts";
import { counted, grouped, h, hex } from "./dom.ts";

const QUESTIONS: Readonly<Record<string, string>> = {
  what: "what",
  written: "written",
  seen: "seen",
  where: "was",
  path: "path",
  loss: "loss",
  remedy: "remedy",
};
/** Of one class, so many are listed. */
const LISTED = 3;
/** What a hypervisor did, so many lines of a step. */
const DOINGS = 6;

/** Whether the story went as it said it would. */
export function verdictOf(film: Film): HTMLElement {
  const bad = film.found.filter(({ kind }) => kind !== "latent").map(({ class: name }) => name);
  const isClean = bad.length === 0;
  const text = isClean ? "Nobody saw or lost a wrong value" : bad.join(", ");
  return h(
    "p",
    { class: `verdict ${isClean ? "clean" : "bad"}`, "data-found": bad.join(" ") },
    h("strong", {}, isClean ? "✓ " : "✗ ", text),
    film.unmet.length === 0
      ? h("span", {}, "as the story expects")
      : h("span", { class: "unmet" }, film.unmet.join("; ")),
  );
}

export class Steps {
  readonly element = h("ol", { class: "steps" });
  #film: Film | undefined;

  setFilm(film: Film, go: (position: number) => void): void {
    this.#film = film;
    this.element.replaceChildren(
      ...film.steps.map((step) =>
        h(
          "li",
          {},
          h(
            "button",
            { type: "button", class: "plain", onclick: () => go(Math.min(step.first + 1, film.frames.length)) },
            step.text,
            h("small", {}, counted(step.records, "record")),
          ),
          step.remarks.length > 0 &&
            h(
              "ul",
              { class: "remarks" },
              ...step.remarks.map(({ text, held }) => h("li", { class: held ? "" : "unmet" }, text)),
            ),
          step.hypervisor.length > 0 &&
            h(
              "ul",
              { class: "doings" },
              ...step.hypervisor.slice(0, DOINGS).map((text) => h("li", {}, `hypervisor: ${text}`)),
              step.hypervisor.length > DOINGS && h("li", {}, `and ${grouped(step.hypervisor.length - DOINGS)} more`),
            ),
        ),
      ),
    );
  }

  /** Marks the step of the last frame played, and those behind it. */
  show(position: number): void {
    const film = this.#film;
    if (film === undefined) return;
    const current = film.frames[position - 1]?.step ?? -1;
    [...this.element.children].forEach((item, index) => {
      item.classList.toggle("current", index === current);
      item.classList.toggle("ahead", index > current);
      if (index === current) item.setAttribute("aria-current", "step");
      else item.removeAttribute("aria-current");
    });
  }
}

export class Hazards {
  readonly element = h("div", { class: "hazards" });

  setFilm(film: Film, go: (position: number) => void): void {
    const groups = film.found.map(({ class: name, kind, occurrences }) => {
      const mine = film.hazards.filter((hazard) => hazard.class === name).slice(0, LISTED);
      return h(
        "section",
        { class: `hazard ${kind}` },
        h("h3", {}, name, h("small", {}, `${counted(occurrences, "time")}${kind === "latent" ? ", latent" : ""}`)),
        ...mine.map((hazard) => hazardOf(film, hazard, go)),
      );
    });
    const none = h("p", { class: "none" }, "None found.");
    this.element.replaceChildren(...(groups.length > 0 ? groups : [none]));
  }

  /** Opens what happens at this position. */
  show(position: number): void {
    for (const details of this.element.querySelectorAll("details")) {
      const isHere = details.dataset.at === String(position);
      details.classList.toggle("here", isHere);
      if (isHere) details.open = true;
    }
  }
}

function hazardOf(film: Film, hazard: FilmHazard, go: (position: number) => void): HTMLElement {
  const letter = film.lines[hazard.line]?.letter;
  const link = (text: string, frame: number) =>
    frame >= 0 && h("button", { type: "button", onclick: () => go(frame + 1) }, text);
  return h(
    "details",
    { "data-at": hazard.frame + 1 },
    h(
      "summary",
      {},
      letter === undefined ? "" : h("span", { class: "letter" }, letter),
      hazard.address > 0 ? ` ${hex(hazard.address)}` : "the whole cache",
      hazard.occurrences > 1 && h("small", {}, ` ×${grouped(hazard.occurrences)}`),
    ),
    h(
      "dl",
      {},
      ...hazard.explanation.flatMap(([question, text]) => [
        h("dt", {}, QUESTIONS[question] ?? question),
        h("dd", {}, text),
      ]),
    ),
    h(
      "p",
      { class: "jumps" },
      link("Show it", hazard.frame),
      link("Show the write", hazard.writeFrame),
      h("small", {}, hazard.rule),
    ),
  );
}
