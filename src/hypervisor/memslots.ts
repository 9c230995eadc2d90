/** Memslots: which IPAs are memory, what backs them, and how stage 2 shall map them. */
import { SetwayError } from "../engine/errors.ts";
import { BLOCK_BYTES, PAGE_BYTES, type Stage2Memory } from "./descriptors.ts";
import { PageStates } from "./page-states.ts";

/** Where guests have their RAM unless told otherwise. */
const DEFAULT_BASE = 0x4000_0000;

/** Addresses are IPAs, sizes bytes; both multiples of a page. */
export interface MemslotOptions {
  /** Default: 0x4000_0000, or the end of the memslot before. */
  readonly base?: number;
  readonly bytes: number;
  readonly name?: string;
  /** ROM: a write is an MMIO exit, or an external abort where no emulated device is. */
  readonly readonly?: boolean;
  /** `block`: 2 MiB blocks where alignment allows. Default: pages. */
  readonly mapping?: "page" | "block";
  /** KVM_MEMSLOT_INCOHERENT; default: read-only memslots. */
  readonly incoherent?: boolean;
  /** What stage 2 says of it; default: what the era says of RAM, or Device for a `physical` range that isn't RAM. */
  readonly attribute?: Stage2Memory;
  /** Backed by this physical memory (an assigned device's region), which is neither zeroed nor swapped. */
  readonly physical?: number;
}

export interface Memslot {
  readonly name: string;
  readonly base: number;
  readonly bytes: number;
  readonly end: number;
  readonly readonly: boolean;
  readonly mapping: "page" | "block";
  readonly incoherent: boolean;
  readonly attribute: Stage2Memory | undefined;
  readonly physical: number | undefined;
  readonly pages: PageStates;
}

export class Memslots {
  readonly #slots: Memslot[] = [];

  /** Ascending by base. */
  get all(): readonly Memslot[] {
    return this.#slots;
  }

  /** The memslot that holds an IPA. */
  find(ipa: number): Memslot | undefined {
    return this.#slots.find((slot) => ipa >= slot.base && ipa < slot.end);
  }

  /** Throws where it overlaps another, isn't aligned, or ends beyond `limit`. */
  add(options: MemslotOptions, limit: number): Memslot {
    const base = options.base ?? this.#slots.at(-1)?.end ?? DEFAULT_BASE;
    const { bytes, readonly: readOnly = false } = options;
    const place = options.name ?? `memslot at 0x${base.toString(16)}`;
    const bad = (what: string, found: string, expected: string): never => {
      throw new SetwayError("usage", `${place}: ${what}`, { found, expected });
    };
    if (!(Number.isSafeInteger(bytes) && bytes > 0 && bytes % PAGE_BYTES === 0)) {
      bad("bad size", `${bytes} bytes`, `a positive multiple of ${PAGE_BYTES}`);
    }
    for (const [what, address] of [
      ["base", base],
      ["physical", options.physical ?? 0],
    ] as const) {
      if (!(Number.isSafeInteger(address) && address >= 0 && address % PAGE_BYTES === 0)) {
        bad(`bad ${what}`, String(address), `a multiple of ${PAGE_BYTES}`);
      }
    }
    if (base + bytes > limit) bad("beyond the IPA size", hex(base + bytes), `at most ${hex(limit)}`);
    const overlapping = this.#slots.find((slot) => base < slot.end && slot.base < base + bytes);
    if (overlapping)
      bad(
        `overlaps ${overlapping.name}`,
        hex(base),
        `memory outside ${hex(overlapping.base)} to ${hex(overlapping.end)}`,
      );
    const slot: Memslot = {
      name: options.name ?? (options.physical !== undefined ? "assigned" : readOnly ? "rom" : "ram"),
      base,
      bytes,
      end: base + bytes,
      readonly: readOnly,
      mapping: options.mapping ?? "page",
      incoherent: options.incoherent ?? readOnly,
      attribute: options.attribute,
      physical: options.physical,
      pages: new PageStates(),
    };
    this.#slots.push(slot);
    this.#slots.sort((a, b) => a.base - b.base);
    return slot;
  }

  remove(slot: Memslot): void {
    this.#slots.splice(this.#slots.indexOf(slot), 1);
  }
}

/** Number of the page that holds an IPA. */
export const pageOf = (slot: Memslot, ipa: number): number => Math.floor((ipa - slot.base) / PAGE_BYTES);
export const ipaOf = (slot: Memslot, page: number): number => slot.base + page * PAGE_BYTES;

/** Whether the 2 MiB around a page can be one block: it lies in the memslot, and its physical side is aligned too. */
export function canBeBlock(slot: Memslot, page: number): boolean {
  if (slot.mapping !== "block" || slot.base % BLOCK_BYTES !== 0) return false;
  if (slot.physical !== undefined && slot.physical % BLOCK_BYTES !== 0) return false;
  const first = Math.floor((page * PAGE_BYTES) / BLOCK_BYTES) * BLOCK_BYTES;
  return first + BLOCK_BYTES <= slot.bytes;
}

const hex = (value: number): string => `0x${value.toString(16)}`;
