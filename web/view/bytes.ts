/** All bytes of one line, in every place that holds it, with those marked that memory would not hold without caches. */
import { type Film, type FilmMachine, type Moment, type PlaceKey, TRUTH } from "../film.ts";
import { h, hex } from "./dom.ts";

const GROUP = 8;

export class LineBytes {
  readonly element = h("div", { class: "line-bytes" });
  readonly #choose: (line: number) => void;
  #film: Film | undefined;

  constructor(choose: (line: number) => void) {
    this.#choose = choose;
  }

  setFilm(film: Film): void {
    this.#film = film;
  }

  show(moment: Moment, line: number): void {
    const film = this.#film;
    const places = moment.lines[line];
    const shown = film?.lines[line];
    if (film === undefined || places === undefined || shown === undefined) {
      this.element.replaceChildren();
      return;
    }
    const truth = film.contents[places.get(TRUTH)?.content ?? -1] ?? new Uint8Array();
    const rows = [...places]
      .filter(([place]) => place !== TRUTH)
      .map(([place, { state, content, newest }]) =>
        row(labelOf(place, film.machine), state === "+" ? "" : state, film.contents[content] ?? truth, truth, !newest),
      );
    this.element.replaceChildren(
      h(
        "div",
        { class: "pick", role: "group", "aria-label": "Line" },
        ...film.lines.map(({ letter, name, address }, index) =>
          h(
            "button",
            {
              type: "button",
              "aria-pressed": index === line ? "true" : "false",
              title: name,
              onclick: () => this.#choose(index),
            },
            h("span", { class: "letter" }, letter),
            ` ${hex(address)}`,
          ),
        ),
      ),
      h(
        "div",
        { class: "scroll", tabindex: 0, role: "region", "aria-label": `Bytes of line ${shown.letter}` },
        h("table", {}, h("tbody", {}, ...rows, row("without caches", "", truth, truth, false))),
      ),
    );
  }
}

function row(label: string, state: string, bytes: Uint8Array, truth: Uint8Array, isOld: boolean): HTMLElement {
  const groups: HTMLElement[] = [];
  for (let at = 0; at < bytes.length; at += GROUP) {
    const cells = [...bytes.subarray(at, at + GROUP)].map((byte, index) =>
      h("span", { class: byte === truth[at + index] ? "" : "wrong" }, byte.toString(16).padStart(2, "0")),
    );
    groups.push(h("span", { class: "group" }, ...cells));
  }
  return h(
    "tr",
    {},
    h("th", { scope: "row" }, label),
    h("td", { class: "state-cell" }, state, isOld && h("span", { class: "unmet" }, "old")),
    h("td", {}, h("div", { class: "hex" }, ...groups)),
  );
}

function labelOf(place: PlaceKey, { caches }: FilmMachine): string {
  if (!/^c\d/.test(place)) return place === "memory" ? "RAM" : place;
  return caches[Number(place.slice(1))]?.label.replace(" (a system cache)", "") ?? place;
}
