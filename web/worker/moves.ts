/**
 * What one record moved of the lines of interest: from where to where, and why. Worked out from what each place held before
 * and after it, from the record itself, and from who supplied what by the engine's counters.
 */
import type { CostEvent } from "../../src/engine/engine.ts";
import type { RecordEntry } from "../../src/engine/record.ts";
import { operationOf } from "../../src/engine/record.ts";
import type { Cache, ResolvedMachine } from "../../src/machine/resolved.ts";
import { placeName } from "../../src/report/explain.ts";
import {
  type Change,
  cacheKey,
  type FilmLine,
  type Held,
  type Move,
  type MoveKind,
  type PlaceKey,
  requesterKey,
  TRUTH,
} from "../film.ts";
import { isEqual, type Sight } from "./lookout.ts";

const NOTHING: Held = { state: "", content: -1, newest: true };

/** All places that differ, line by line. */
export function changesBetween(before: Sight, after: Sight): Change[] {
  return before.flatMap((places, line) => {
    const now = after[line] as ReadonlyMap<PlaceKey, Held>;
    return [...new Set([...places.keys(), ...now.keys()])].flatMap((place) => {
      const change = { line, place, before: places.get(place) ?? NOTHING, after: now.get(place) ?? NOTHING };
      return isEqual(change.before, change.after) ? [] : [change];
    });
  });
}

const isDirty = ({ state }: Held): boolean => state === "M" || state === "O";

/** Whether the record names an address in the line; where tables translate, addresses are not the line's. */
export function touches(entry: RecordEntry, line: FilmLine, lineBytes: number): boolean {
  if (operationOf(entry)?.operand !== "address") return false;
  const from = entry.operand - (entry.sizeBytes === undefined ? entry.operand % 8 : 0);
  return from < line.address + lineBytes && from + (entry.sizeBytes ?? 8) > line.address;
}

/** Cost events, and by level how often each supplied. */
export type Events = Readonly<Record<string, number>>;

export interface Scene {
  readonly machine: ResolvedMachine;
  readonly lines: readonly FilmLine[];
  readonly entry: RecordEntry;
  readonly before: Sight;
  readonly after: Sight;
  readonly changes: readonly Change[];
  /** By line: whether the record is about it, by its address or as a hazard says. */
  readonly touched: readonly boolean[];
  /** Of the requester. */
  readonly eventsBefore: Events;
  readonly eventsAfter: Events;
}

export function movesOf(scene: Scene): Move[] {
  return scene.lines.flatMap((_, index) => {
    const mine = scene.changes.filter((change) => change.line === index);
    if (mine.length === 0 && !scene.touched[index]) return [];
    return new LineMoves(scene, index, mine).all();
  });
}

class LineMoves {
  readonly #scene: Scene;
  readonly #line: number;
  readonly #changes: readonly Change[];
  readonly #before: ReadonlyMap<PlaceKey, Held>;
  readonly #moves: Move[] = [];

  constructor(scene: Scene, line: number, changes: readonly Change[]) {
    this.#scene = scene;
    this.#line = line;
    this.#changes = changes.filter(({ place }) => place !== TRUTH);
    this.#before = scene.before[line] as ReadonlyMap<PlaceKey, Held>;
  }

  all(): Move[] {
    const name = operationOf(this.#scene.entry)?.name ?? "";
    const isNamed = this.#scene.touched[this.#line] === true;
    const self = requesterKey(this.#scene.entry.requester);
    let supplier: PlaceKey | undefined;
    if (name === "device read" && isNamed) this.#add("DMA", this.#holder(), self);
    else if (name === "device write" && (isNamed || this.#changes.length > 0)) this.#add("DMA", self, this.#landing());
    else if (/^(load|fetch|atomic|store|prefetch|DC ZVA)$/.test(name)) supplier = this.#access(name, isNamed, self);
    this.#writebacks(/^(DC|IC|outer|flush)/.test(name) ? "maintenance" : "writeback", supplier);
    return this.#moves;
  }

  #add(kind: MoveKind, from: PlaceKey, to: PlaceKey): void {
    if (from !== to) this.#moves.push({ line: this.#line, kind, from, to });
  }

  /** A core's access: where its bytes came from, what they filled, and the core itself. Returns who supplied it. */
  #access(name: string, isNamed: boolean, self: PlaceKey): PlaceKey | undefined {
    const { entry } = this.#scene;
    const own = this.#path(name === "fetch").map(({ id }) => cacheKey(id));
    const filled = own.filter((place) => this.#changes.some((change) => change.place === place && isNew(change)));
    const written = own.filter((place) => this.#changes.some((each) => each.place === place && !isNew(each)));
    const memoryChanged = this.#changes.some(({ place }) => place === "memory");
    const isWrite = /store|atomic|ZVA/.test(name);
    // Another line's eviction, or a table walk, can have changed this one.
    if (!isNamed && filled.length === 0 && written.length === 0 && !memoryChanged) return undefined;
    const isUncached = this.#delta("uncached") + this.#delta("uncachedRemote") > 0 && filled.length === 0;
    if (isUncached) {
      if (isWrite && (memoryChanged || isNamed)) this.#add("uncached", self, this.#behind() ?? "memory");
      else if (isNamed) this.#add("uncached", this.#behind() ?? "memory", self);
      return undefined;
    }
    const left = this.#changes.some(({ place, after }) => own.includes(place) && after.state === "");
    if (!isNamed && filled.length === 0 && (left || !isWrite || written.length === 0)) return undefined;
    const supplier = this.#supplier(own);
    const inner = filled[0] ?? own.find((place) => this.#before.has(place));
    if (filled[0] !== undefined)
      this.#add(supplier.startsWith("c") && !own.includes(supplier) ? "snoop" : "fill", supplier, filled[0]);
    if (inner !== undefined && entry.requester < this.#scene.machine.cores.length) {
      if (isWrite) this.#add("write", self, inner);
      else if (name !== "prefetch") this.#add("read", inner, self);
    }
    return supplier;
  }

  /** Dirty bytes that left a cache, and where they are now. */
  #writebacks(kind: "writeback" | "maintenance", supplier: PlaceKey | undefined): void {
    for (const { place, before, after } of this.#changes) {
      if (!isDirty(before) || isDirty(after) || place === "memory" || place === supplier) continue;
      const to = this.#changes.find(
        (other) =>
          other.place !== place &&
          other.after.content === before.content &&
          (other.place === "memory" ? true : isDirty(other.after) || isNew(other)),
      );
      if (to !== undefined) this.#add(kind, place, to.place);
    }
  }

  /** Of an access: the first of the requester's own caches that had it, else whoever else answers, else memory. */
  #supplier(own: readonly PlaceKey[]): PlaceKey {
    const inside = own.find((place) => this.#before.has(place));
    if (inside !== undefined) return inside;
    const others = [...this.#before].filter(
      ([place]) => place.startsWith("c") && !own.includes(place) && this.#isData(place),
    );
    const dirty = others.find(([, held]) => isDirty(held));
    const snooped = this.#delta("snoop") + this.#delta("snoopRemote") > 0;
    return (dirty ?? (snooped ? others[0] : undefined))?.[0] ?? this.#behind() ?? "memory";
  }

  /** Who a device reads from: a coherent one is given a copy, another sees what lies behind the interconnect. */
  #holder(): PlaceKey {
    const { machine, entry } = this.#scene;
    const device = machine.devices[entry.requester - machine.cores.length];
    if (device?.coherent) {
      const copies = [...this.#before].filter(([place]) => place.startsWith("c") && this.#isData(place));
      const copy = copies.find(([, held]) => isDirty(held)) ?? copies[0];
      if (copy !== undefined) return copy[0];
    }
    return this.#behind() ?? "memory";
  }

  #landing(): PlaceKey {
    return this.#changes.find(({ place, after }) => after.state !== "" && place !== "memory")?.place ?? "memory";
  }

  /** The cache behind the interconnect that supplied the line, if one did. */
  #behind(): PlaceKey | undefined {
    return (["outer", "memory-side"] as const).find((place) => this.#before.has(place) && this.#delta(place) > 0);
  }

  #isData(place: PlaceKey): boolean {
    return this.#scene.machine.caches[Number(place.slice(1))]?.holds !== "instructions";
  }

  /** The requester's own caches, innermost first. */
  #path(isFetch: boolean): readonly Cache[] {
    const { machine, entry } = this.#scene;
    const other = isFetch ? "data" : "instructions";
    return machine.caches
      .filter(({ cores, holds }) => cores.includes(entry.requester) && holds !== other)
      .toSorted((a, b) => a.depth - b.depth);
  }

  #delta(event: CostEvent | "outer" | "memory-side"): number {
    return (this.#scene.eventsAfter[event] ?? 0) - (this.#scene.eventsBefore[event] ?? 0);
  }
}

const isNew = ({ before, after }: Change): boolean => before.state === "" && after.state !== "";

/** What came of a record, in words: a clause for each line that something happened to. */
export function detailOf(scene: Scene, moves: readonly Move[]): string {
  const clauses = scene.lines.flatMap((line, index) => {
    const parts = [
      ...moves.filter((move) => move.line === index).map((move) => clauseOf(move, scene.machine)),
      ...departures(
        scene.changes.filter((change) => change.line === index),
        moves,
        scene.machine,
      ),
    ];
    return parts.length === 0 ? [] : [`${line.letter}: ${parts.join(", ")}`];
  });
  return clauses.join("; ");
}

function clauseOf({ kind, from, to }: Move, machine: ResolvedMachine): string {
  const [here, there] = [keyName(from, machine), keyName(to, machine)];
  switch (kind) {
    case "read":
      return `${there} reads ${here}`;
    case "write":
      return `${here} writes ${there}`;
    case "fill":
      return `filled from ${here} into ${there}`;
    case "snoop":
      return `${here} is snooped and supplies ${there}`;
    case "writeback":
      return `written back from ${here} to ${there}`;
    case "maintenance":
      return `cleaned from ${here} to ${there}`;
    case "uncached":
      return to.startsWith("r")
        ? `${there} reads ${here}, past the caches`
        : `${here} writes ${there}, past the caches`;
    default:
      return to.startsWith("r") ? `${there} reads ${here}` : `${here} writes ${there}`;
  }
}

function departures(changes: readonly Change[], moves: readonly Move[], machine: ResolvedMachine): string[] {
  const gone = changes.filter(
    ({ place, before, after, line }) =>
      place !== TRUTH &&
      before.state !== "" &&
      after.state === "" &&
      !moves.some((move) => move.line === line && move.from === place),
  );
  if (gone.length === 0) return [];
  const lost = gone.some(({ before }) => isDirty(before) && before.newest);
  return [`gone from ${gone.map(({ place }) => keyName(place, machine)).join(" and ")}${lost ? " (dirty)" : ""}`];
}

function keyName(key: PlaceKey, machine: ResolvedMachine): string {
  if (key.startsWith("r")) return requesterName(Number(key.slice(1)), machine);
  if (/^c\d/.test(key)) return placeName({ cache: Number(key.slice(1)) }, machine).replace(" (a system cache)", "");
  return placeName(key as "outer" | "memory-side" | "memory", machine);
}

export function requesterName(requester: number, machine: ResolvedMachine): string {
  const device = machine.devices[requester - machine.cores.length];
  return device === undefined ? `core ${requester}` : device.name;
}
