/** Looks at the lines of interest: which places hold them, in which state, with which bytes. */
import type { PeekPlace } from "../../src/engine/engine.ts";
import type { Kernel } from "../../src/engine/kernel.ts";
import { cacheKey, type FilmLine, type Held, type PlaceKey, TRUTH } from "../film.ts";

export type Sight = readonly ReadonlyMap<PlaceKey, Held>[];

/** Keeps each content once and numbers it, so that equal bytes have equal numbers. */
export class Contents {
  readonly all: Uint8Array[] = [];
  readonly #numbers = new Map<string, number>();

  /** `hint` is a number that the bytes may well have. */
  numberOf(bytes: Uint8Array, hint = -1): number {
    const likely = this.all[hint];
    if (likely?.every((byte, index) => byte === bytes[index])) return hint;
    const key = String.fromCharCode(...bytes);
    let number = this.#numbers.get(key);
    if (number === undefined) {
      number = this.all.length;
      this.all.push(bytes);
      this.#numbers.set(key, number);
    }
    return number;
  }
}

export class Lookout {
  readonly #kernel: Kernel;
  readonly #lines: readonly FilmLine[];
  readonly #contents: Contents;
  /** The contents that were seen last, by line and place: mostly they are seen again. */
  readonly #last: Record<PlaceKey, number>[];

  constructor(kernel: Kernel, lines: readonly FilmLine[], contents: Contents) {
    this.#kernel = kernel;
    this.#lines = lines;
    this.#contents = contents;
    this.#last = lines.map(() => ({}));
  }

  /** What every place holds of every line, right now. */
  look(): Sight {
    return this.#lines.map(({ address }, line) => this.#lookAt(address, this.#last[line] as Record<PlaceKey, number>));
  }

  #lookAt(address: number, last: Record<PlaceKey, number>): Map<PlaceKey, Held> {
    const kernel = this.#kernel;
    const bytes = kernel.machine.smallestLineBytes;
    const contentOf = (place: PlaceKey, where: PeekPlace): number => {
      const content = this.#contents.numberOf(kernel.peek(where, address, bytes), last[place]);
      last[place] = content;
      return content;
    };
    const truth = contentOf(TRUTH, "truth");
    const places = new Map<PlaceKey, Held>();
    const put = (place: PlaceKey, state: Held["state"], where: PeekPlace): void => {
      const content = contentOf(place, where);
      places.set(place, { state, content, newest: content === truth });
    };
    for (const { cache, state } of kernel.copies(address)) put(cacheKey(cache), state, { cache });
    for (const where of ["outer", "memory-side"] as const) {
      const state = kernel.heldBehind(where, address);
      if (state !== undefined) put(where, state, where);
    }
    put("memory", "+", "memory");
    places.set(TRUTH, { state: "+", content: truth, newest: true });
    return places;
  }
}

/** Whether two sights are the same in every place. */
export function isSame(one: Sight, other: Sight): boolean {
  return one.every((places, line) => {
    const others = other[line] as ReadonlyMap<PlaceKey, Held>;
    if (places.size !== others.size) return false;
    for (const [place, held] of places) {
      const against = others.get(place);
      if (against === undefined || !isEqual(held, against)) return false;
    }
    return true;
  });
}

export const isEqual = (one: Held, other: Held): boolean =>
  one.state === other.state && one.content === other.content && one.newest === other.newest;
