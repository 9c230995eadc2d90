/**
 * A played story as the page shows it: one frame for each thing worth looking at, and with each frame what changed in the
 * lines of interest. The worker makes films, the page only winds them: no engine is needed to go back.
 */

/** Where a line can be, as text: `c3` (cache 3), `outer`, `memory-side`, `memory`. A requester is `r0`. */
export type PlaceKey = string;

/** The bytes that memory would hold without caches: no place, but every other is compared with it. */
export const TRUTH: PlaceKey = "truth";

export const cacheKey = (cache: number): PlaceKey => `c${cache}`;
export const requesterKey = (requester: number): PlaceKey => `r${requester}`;

/** A line of interest. */
export interface FilmLine {
  /** `A`, `B`...: how it is marked on the map. */
  readonly letter: string;
  readonly address: number;
  /** What the story calls it. */
  readonly name: string | undefined;
  /** Offset in the line of the eight bytes that the map shows. */
  readonly offset: number;
}

/** What one place holds of one line. */
export interface Held {
  /** M, O, E or S in a cache; `+` where a place holds bytes without a state (RAM, caches behind the interconnect); empty: nothing. */
  readonly state: "M" | "O" | "E" | "S" | "+" | "";
  /** Index in `Film.contents`. */
  readonly content: number;
  /** Whether all bytes are what memory would hold without caches. */
  readonly newest: boolean;
}

export interface Change {
  readonly line: number;
  readonly place: PlaceKey;
  readonly before: Held;
  readonly after: Held;
}

export const MOVE_KINDS = ["read", "fill", "snoop", "write", "writeback", "DMA", "maintenance", "uncached"] as const;
export type MoveKind = (typeof MOVE_KINDS)[number];

/** Bytes of a line that went from one place to another. */
export interface Move {
  readonly line: number;
  readonly kind: MoveKind;
  readonly from: PlaceKey;
  readonly to: PlaceKey;
}

/** A core's mode in one number: M, C and I of SCTLR_EL1 where they are, and from here on its exception level (0: nobody said). */
export const LEVEL_SHIFT = 20;
export const SCTLR_SHOWN = 0x1005;

export interface Frame {
  /** Index in `Film.steps`. */
  readonly step: number;
  /** Records first up to, but not including, first + count. */
  readonly first: number;
  readonly count: number;
  /** Who did it; -1 where several did. */
  readonly requester: number;
  readonly text: string;
  /** What came of it, in words. */
  readonly detail: string;
  readonly changes: readonly Change[];
  readonly moves: readonly Move[];
  /** What cores wrote to SCTLR_EL1, and the exception level that they went to. */
  readonly control: readonly { readonly core: number; readonly before: number; readonly after: number }[];
  /** Indices in `Film.hazards` of those that happened first here. */
  readonly hazards: readonly number[];
}

export interface FilmStep {
  readonly text: string;
  /** Frames first up to, but not including, end. */
  readonly first: number;
  readonly end: number;
  readonly records: number;
  readonly remarks: readonly { readonly text: string; readonly held: boolean }[];
  readonly hypervisor: readonly string[];
}

export interface FilmHazard {
  readonly class: string;
  readonly kind: "observed" | "lost" | "latent";
  readonly rule: string;
  readonly address: number;
  readonly occurrences: number;
  readonly frame: number;
  /** The frame of the write that was missed; -1 if there is none. */
  readonly writeFrame: number;
  /** Index in `Film.lines`, -1 if the line is not of interest. */
  readonly line: number;
  readonly observer: PlaceKey;
  /** Where the newest value was; undefined if nowhere. */
  readonly newestAt: PlaceKey | undefined;
  /** Question and answer, in order. */
  readonly explanation: readonly (readonly [string, string])[];
}

export interface FilmCache {
  readonly id: number;
  readonly level: string;
  readonly holds: string;
  readonly kind: string;
  readonly cores: readonly number[];
  readonly socket: number;
  readonly setWay: boolean;
  /** `core 0's L1D`. */
  readonly label: string;
  /** `48 KiB, 3 ways`. */
  readonly size: string;
}

export interface FilmMachine {
  readonly name: string;
  readonly cores: readonly { readonly id: number; readonly socket: number; readonly control: number }[];
  /** Cores of the description, those left out for doing nothing included. */
  readonly coresDescribed: number;
  readonly caches: readonly FilmCache[];
  readonly outer: string | undefined;
  readonly memorySide: string | undefined;
  readonly devices: readonly { readonly name: string; readonly requester: number; readonly coherent: boolean }[];
  readonly lineBytes: number;
}

export interface Film {
  readonly story: { readonly name: string; readonly title: string; readonly source: string };
  readonly setting: { readonly machine: string; readonly era: string; readonly fixes: readonly string[] };
  readonly machine: FilmMachine;
  readonly lines: readonly FilmLine[];
  /** State before the first frame, by line, then by place. */
  readonly start: readonly Readonly<Record<PlaceKey, Held>>[];
  readonly contents: readonly Uint8Array[];
  readonly steps: readonly FilmStep[];
  readonly frames: readonly Frame[];
  readonly hazards: readonly FilmHazard[];
  /** By class: how often, in all. */
  readonly found: readonly { readonly class: string; readonly kind: string; readonly occurrences: number }[];
  readonly expected: { readonly must: readonly string[]; readonly may: readonly string[] };
  readonly unmet: readonly string[];
  readonly records: number;
  readonly cycles: number;
}

/** What the lines and cores look like at one moment. */
export interface Moment {
  readonly lines: readonly Map<PlaceKey, Held>[];
  readonly control: readonly number[];
}

/** Frames between two checkpoints: winding to any place plays at most so many. */
const CHECKPOINT_FRAMES = 64;

/** Winds a film. A position is how many frames have been played: 0 to `frames.length`. */
export class Projector {
  readonly film: Film;
  readonly #checkpoints: Moment[] = [];
  #lines: Map<PlaceKey, Held>[];
  #control: number[];
  #position = 0;

  constructor(film: Film) {
    this.film = film;
    this.#lines = film.start.map((places) => new Map(Object.entries(places)));
    this.#control = film.machine.cores.map(({ control }) => control);
    this.#checkpoints.push(this.#copy());
    for (const frame of film.frames) {
      this.#forward(frame);
      if (this.#position % CHECKPOINT_FRAMES === 0) this.#checkpoints.push(this.#copy());
    }
    this.seek(0);
  }

  get position(): number {
    return this.#position;
  }

  get length(): number {
    return this.film.frames.length;
  }

  /** The state at this position; valid until the next `seek`. */
  get moment(): Moment {
    return { lines: this.#lines, control: this.#control };
  }

  /** Winds to a position, clamped to the film: by single frames if it is near, else from the checkpoint before it. */
  seek(position: number): void {
    const target = Math.max(0, Math.min(this.length, Math.round(position)));
    const near = Math.floor(target / CHECKPOINT_FRAMES);
    if (Math.abs(target - this.#position) > target - near * CHECKPOINT_FRAMES) {
      const { lines, control } = this.#checkpoints[near] as Moment;
      this.#lines = lines.map((places) => new Map(places));
      this.#control = [...control];
      this.#position = near * CHECKPOINT_FRAMES;
    }
    while (this.#position < target) this.#forward(this.film.frames[this.#position] as Frame);
    while (this.#position > target) this.#back(this.film.frames[this.#position - 1] as Frame);
  }

  #forward(frame: Frame): void {
    for (const { line, place, after } of frame.changes) put(this.#lines[line] as Map<PlaceKey, Held>, place, after);
    for (const { core, after } of frame.control) this.#control[core] = after;
    this.#position++;
  }

  #back(frame: Frame): void {
    for (const { line, place, before } of frame.changes) put(this.#lines[line] as Map<PlaceKey, Held>, place, before);
    for (const { core, before } of frame.control.toReversed()) this.#control[core] = before;
    this.#position--;
  }

  #copy(): Moment {
    return { lines: this.#lines.map((places) => new Map(places)), control: [...this.#control] };
  }
}

function put(places: Map<PlaceKey, Held>, place: PlaceKey, held: Held): void {
  if (held.state === "") places.delete(place);
  else places.set(place, held);
}
