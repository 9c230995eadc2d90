/** The machine as a map: cores above, memory below, and in each place the lines of interest that it holds right now. */
import {
  cacheKey,
  type Film,
  type FilmCache,
  type FilmLine,
  type Frame,
  type Held,
  LEVEL_SHIFT,
  type Moment,
  type PlaceKey,
  requesterKey,
  TRUTH,
} from "../film.ts";
import { drawArrows } from "./arrows.ts";
import { h, hex, s } from "./dom.ts";

/** More cores than this side by side no screen shows. */
const MOST_CORES = 6;
/** Grid columns of each core: its L1s share them. */
const COLUMNS = 6;

export class MachineMap {
  readonly element = h("div", { class: "map", role: "group", "aria-label": "Map of the machine" });
  readonly #legend = h("ul", { class: "lines", "aria-label": "Lines of interest" });
  readonly #grid = h("div", { class: "grid" });
  readonly #arrows = s("svg", { class: "arrows", "aria-hidden": "true" });
  #film: Film | undefined;
  /** Boxes by key, and in them the slots of lines. */
  readonly #boxes = new Map<PlaceKey, HTMLElement>();
  readonly #slots = new Map<PlaceKey, Map<number, HTMLElement>>();
  #redraw = () => {};

  constructor() {
    this.element.append(
      this.#legend,
      h(
        "div",
        { class: "scroll", tabindex: 0, role: "group", "aria-label": "Caches" },
        h("div", { class: "canvas" }, this.#grid, this.#arrows),
      ),
    );
    new ResizeObserver(() => this.#redraw()).observe(this.#grid);
  }

  setFilm(film: Film): void {
    this.#film = film;
    this.#boxes.clear();
    this.#slots.clear();
    this.#grid.replaceChildren();
    const layout = layoutOf(film);
    this.#grid.style.gridTemplateColumns = `repeat(${layout.columns}, minmax(0, 1fr))${layout.devices.length > 0 ? " minmax(6.5rem, 0.45fr)" : ""}`;
    this.#grid.style.minWidth = `${(layout.cores.length * 9.5 + (layout.devices.length > 0 ? 7 : 0)).toFixed(1)}rem`;
    layout.cores.forEach((core, index) => {
      this.#box(requesterKey(core), "core", `core ${core}`, "", [], span(index * COLUMNS, COLUMNS, 1));
    });
    for (const { cache, from, columns, row } of layout.caches) {
      const key = cacheKey(cache.id);
      const used = film.lines.flatMap((_, line) => (layout.held.get(key)?.has(line) ? [line] : []));
      this.#box(key, `cache ${cache.kind}`, cache.level, noteOf(cache, film), used, span(from, columns, row));
    }
    let row = layout.rows + 1;
    const all = film.lines.map((_, line) => line);
    if (film.machine.outer !== undefined) {
      this.#box(
        "outer",
        "cache outer",
        "outer cache",
        `${film.machine.outer}; own registers only`,
        all,
        span(0, layout.columns, row++),
      );
    }
    if (film.machine.memorySide !== undefined) {
      this.#box(
        "memory-side",
        "cache memory-side",
        "memory-side cache",
        film.machine.memorySide,
        all,
        span(0, layout.columns, row++),
      );
    }
    const devices = film.machine.devices.filter(({ requester }) => layout.devices.includes(requester));
    devices.forEach(({ name, requester, coherent }, index) => {
      // The last device reaches down to the memory that it, too, works on.
      const end = index === devices.length - 1 ? Math.max(row, index + 2) : index + 2;
      const area = `${index + 1} / ${layout.columns + 1} / ${end} / span 1`;
      this.#box(requesterKey(requester), "device", name, coherent ? "coherent: snoops" : "not coherent", [], area);
    });
    this.#box("memory", "memory", "RAM", "the Point of Coherency", all, `${row} / 1 / span 1 / -1`);
    const left = film.machine.coresDescribed - layout.cores.length;
    if (left > 0) {
      this.#grid.append(
        h(
          "p",
          { class: "idle", style: `grid-area: ${row + 1} / 1 / span 1 / -1` },
          `${left} more ${left === 1 ? "core plays" : "cores play"} no part here`,
        ),
      );
    }
    this.#legend.replaceChildren(...film.lines.map((line) => legendOf(line)));
  }

  /** Shows the state after `frame`, which moved something; before the first frame there is none. */
  show(moment: Moment, frame: Frame | undefined): void {
    const film = this.#film;
    if (film === undefined) return;
    for (const [index, line] of film.lines.entries()) this.#showLine(film, line, index, moment, frame);
    film.machine.cores.forEach(({ id }, index) => {
      const box = this.#boxes.get(requesterKey(id));
      const note = box?.querySelector(".note");
      if (note) note.textContent = controlNote(moment.control[index] ?? 0);
      const control = moment.control[index] ?? 0;
      box?.classList.toggle("uncached", (control & 4) === 0 && control >>> LEVEL_SHIFT !== 2);
    });
    for (const [key, box] of this.#boxes) {
      const acts = frame !== undefined && key === requesterKey(frame.requester);
      box.classList.toggle("acts", acts);
    }
    this.#redraw = () => drawArrows(this.#arrows, this.#grid, film, frame, (key, line) => this.#anchor(key, line));
    this.#redraw();
  }

  #anchor(key: PlaceKey, line: number): Element | undefined {
    return this.#slots.get(key)?.get(line) ?? this.#boxes.get(key);
  }

  #showLine(film: Film, line: FilmLine, index: number, moment: Moment, frame: Frame | undefined): void {
    const places = moment.lines[index] ?? new Map<PlaceKey, Held>();
    for (const [key, slots] of this.#slots) {
      const slot = slots.get(index);
      if (slot === undefined) continue;
      const changed = frame?.changes.some((change) => change.line === index && change.place === key) ?? false;
      const held = places.get(key);
      slot.replaceChildren(...(held === undefined ? [] : [chip(film, line, held)]));
      slot.classList.toggle("changed", changed);
      slot.classList.toggle("left", changed && held === undefined);
    }
    const truth = places.get(TRUTH);
    const isKept = [...places].some(([place, held]) => place !== TRUTH && held.newest);
    const entry = this.#legend.children[index];
    const newest = entry?.querySelector(".newest");
    if (newest && truth) {
      newest.textContent = isKept
        ? `newest ${wordAt(film.contents[truth.content], line.offset)}`
        : `newest ${wordAt(film.contents[truth.content], line.offset)} is nowhere any more`;
      entry?.classList.toggle("lost", !isKept);
    }
  }

  #box(key: PlaceKey, kind: string, title: string, note: string, lines: readonly number[], area: string): void {
    const slots = new Map(lines.map((line) => [line, h("div", { class: "slot" })]));
    const box = h(
      "div",
      { class: `box ${kind}`, style: `grid-area: ${area}`, "data-place": key },
      h("div", { class: "head" }, h("strong", {}, title), h("span", { class: "note" }, note)),
      ...(slots.size > 0 ? [h("div", { class: "slots" }, ...slots.values())] : []),
    );
    this.#boxes.set(key, box);
    this.#slots.set(key, slots);
    this.#grid.append(box);
  }
}

const span = (from: number, columns: number, row: number): string => `${row} / ${from + 1} / span 1 / span ${columns}`;

interface PlacedCache {
  readonly cache: FilmCache;
  readonly from: number;
  readonly columns: number;
  readonly row: number;
}

interface Layout {
  readonly cores: readonly number[];
  readonly columns: number;
  readonly rows: number;
  readonly caches: readonly PlacedCache[];
  readonly devices: readonly number[];
  /** Lines that a place ever holds. */
  readonly held: ReadonlyMap<PlaceKey, ReadonlySet<number>>;
}

function layoutOf(film: Film): Layout {
  const held = new Map<PlaceKey, Set<number>>();
  const hold = (place: PlaceKey, line: number) => held.set(place, (held.get(place) ?? new Set()).add(line));
  film.start.forEach((places, line) => {
    for (const place of Object.keys(places)) hold(place, line);
  });
  for (const { changes } of film.frames) for (const { place, line } of changes) hold(place, line);

  const { machine } = film;
  const acting = new Set(film.frames.map(({ requester }) => requester));
  for (const { observer } of film.hazards) acting.add(Number(observer.slice(1)));
  const isCore = (requester: number) => machine.cores.some(({ id }) => id === requester);
  const holders = machine.caches.filter(({ id, cores }) => cores.length === 1 && held.has(cacheKey(id)));
  const wanted = new Set([...acting, ...holders.flatMap(({ cores }) => cores)].filter(isCore));
  if (wanted.size === 0) wanted.add(machine.cores[0]?.id ?? 0);
  const cores = [...wanted].sort((a, b) => a - b).slice(0, MOST_CORES);

  const caches: PlacedCache[] = [];
  const depths = [...new Set(film.machine.caches.map(({ level }) => depthOf(level)))].sort((a, b) => a - b);
  for (const cache of machine.caches) {
    const shown = cores.flatMap((core, index) => (cache.cores.includes(core) ? [index] : []));
    const [first] = shown;
    const last = shown.at(-1);
    if (first === undefined || last === undefined) continue;
    const row = depths.indexOf(depthOf(cache.level)) + 2;
    const [from, columns] = shareOf(cache, machine.caches, held);
    const isWhole = columns === COLUMNS;
    caches.push({
      cache,
      from: first * COLUMNS + (isWhole ? 0 : from),
      columns: isWhole ? (last - first + 1) * COLUMNS : columns,
      row,
    });
  }
  return {
    cores,
    columns: cores.length * COLUMNS,
    rows: depths.length + 1,
    caches,
    devices: machine.devices.map(({ requester }) => requester).filter((requester) => acting.has(requester)),
    held,
  };
}

const depthOf = (level: string): number => Number(level.slice(1, 2));

/** L1D and L1I share a core's columns; one that never holds a line of interest gets the smaller part. */
function shareOf(
  cache: FilmCache,
  caches: readonly FilmCache[],
  held: ReadonlyMap<PlaceKey, unknown>,
): [number, number] {
  const twin = caches.find(
    ({ id, cores, level }) =>
      id !== cache.id && cores.join() === cache.cores.join() && depthOf(level) === depthOf(cache.level),
  );
  if (twin === undefined || cache.holds === "unified") return [0, COLUMNS];
  const [data, instructions] = cache.holds === "data" ? [cache, twin] : [twin, cache];
  const isUsed = (each: FilmCache) => held.has(cacheKey(each.id));
  const dataColumns = isUsed(data) && isUsed(instructions) ? 3 : isUsed(instructions) ? 2 : 4;
  return cache.holds === "data" ? [0, dataColumns] : [dataColumns, COLUMNS - dataColumns];
}

function noteOf(cache: FilmCache, film: Film): string {
  const whose = cache.cores.length > 1 ? ofCores(cache, film) : "";
  return [cache.size, whose, cache.setWay || cache.holds === "instructions" ? "" : "no set/way"]
    .filter((part) => part !== "")
    .join(" · ");
}

function ofCores({ cores }: FilmCache, { machine }: Film): string {
  if (cores.length === machine.cores.length) return "shared by all";
  return `cores ${cores[0]}–${cores.at(-1)}`;
}

function controlNote(control: number): string {
  const level = control >>> LEVEL_SHIFT;
  if (level === 2) return "the host, at EL2";
  const switches = `${control & 1 ? "MMU" : "no MMU"} · D$ ${control & 4 ? "on" : "off"} · I$ ${control & 0x1000 ? "on" : "off"}`;
  return level === 0 ? switches : `guest: ${switches}`;
}

function legendOf({ letter, address, name }: FilmLine): HTMLElement {
  return h(
    "li",
    {},
    h("span", { class: "letter" }, letter),
    h("span", { class: "where" }, name === undefined ? hex(address) : `${name} ${hex(address)}`),
    h("span", { class: "newest" }),
  );
}

const STATE_NAMES: Readonly<Record<string, string>> = {
  M: "modified",
  O: "owned",
  E: "exclusive",
  S: "shared",
  "+": "bytes",
};

/** A line's copy: its letter, its state, its bytes, and whether they are old. */
function chip(film: Film, line: FilmLine, { state, content, newest }: Held): HTMLElement {
  const bytes = wordAt(film.contents[content], line.offset);
  const where = state === "+" ? "" : `, ${STATE_NAMES[state]}`;
  const age = newest ? "" : ", old";
  return h(
    "span",
    {
      class: `chip state-${state === "+" ? "memory" : state}${newest ? "" : " old"}`,
      title: `line ${line.letter}${where}: ${bytes}${age}`,
    },
    h("span", { class: "letter" }, line.letter),
    state !== "+" && h("span", { class: "state" }, state),
    h("span", { class: "bytes" }, bytes),
    !newest && h("span", { class: "age" }, "old"),
  );
}

/** Eight bytes, little-endian, without leading zeros. */
function wordAt(bytes: Uint8Array | undefined, offset: number): string {
  if (bytes === undefined || bytes.length < offset + 8) return "";
  const value = new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(offset, true);
  return `0x${value.toString(16)}`;
}
