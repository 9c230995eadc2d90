/**
 * What each instruction cost. Accesses belong to the last instruction that their requester fetched: all that traces keep of
 * program counters are fetches, and formats without fetches have no instructions to blame.
 */
import type { CostEvent } from "../engine/engine.ts";
import type { MissLog, MissLogEntry } from "../engine/miss-log.ts";
import { OPERATIONS } from "../engine/operations.ts";
import { eventCycles, levelCycles } from "../machine/cycles.ts";
import type { ResolvedMachine } from "../machine/resolved.ts";
import { isPrefix, operationOf, requesterOf } from "../trace/entry.ts";

/** What is counted, in order: names as cachegrind has them where it has one. */
export const PROFILE_EVENTS = [
  ["Ir", "instructions fetched"],
  ["Dr", "data reads"],
  ["Dw", "data writes"],
  ["I1mr", "fetches that missed the L1I"],
  ["D1mr", "data reads that missed the L1D"],
  ["D1mw", "data writes that missed the L1D"],
  ["ILmr", "fetches that memory supplied"],
  ["DLmr", "data reads that memory supplied"],
  ["DLmw", "data writes that memory supplied"],
  ["Peer", "accesses that another core's cache supplied"],
  ["Nc", "accesses past the caches"],
  ["Wb", "writebacks"],
  ["Maint", "cache maintenance operations"],
  ["Cycles", "simulated cycles"],
] as const;
type ProfileEvent = (typeof PROFILE_EVENTS)[number][0];

const WIDTH = PROFILE_EVENTS.length;
const at = (name: ProfileEvent): number => PROFILE_EVENTS.findIndex(([event]) => event === name);
const [IR, DR, DW, I1MR, ILMR, PEER, NC, WB, MAINT, CYCLES] = (
  ["Ir", "Dr", "Dw", "I1mr", "ILmr", "Peer", "Nc", "Wb", "Maint", "Cycles"] as const
).map(at) as [number, number, number, number, number, number, number, number, number, number];

const { LOAD, STORE, FETCH, ATOMIC, WITH } = OPERATIONS;

/** Instructions whose address is nobody's. */
export const NO_INSTRUCTION = -1;

export interface ProfileRow {
  /** Of the instruction; `NO_INSTRUCTION` for what came before a requester's first fetch, and for devices. */
  readonly address: number;
  /** In the order of `PROFILE_EVENTS`. */
  readonly costs: readonly number[];
}

export interface Profile {
  readonly trace: string;
  readonly machine: string;
  /** By address. */
  readonly rows: readonly ProfileRow[];
  readonly totals: readonly number[];
  /** What a reader must know of the addresses. */
  readonly notes: readonly string[];
}

const MEMORY: ReadonlySet<CostEvent | undefined> = new Set<CostEvent>(["memory", "memoryRemote"]);
const PEERS: ReadonlySet<CostEvent | undefined> = new Set<CostEvent>(["snoop", "snoopRemote"]);
const UNCACHED: ReadonlySet<CostEvent | undefined> = new Set<CostEvent>(["uncached", "uncachedRemote"]);

/** Takes records and what they met, batch by batch. */
export class Profiler {
  readonly #machine: ResolvedMachine;
  readonly #rows = new Map<number, number>();
  #costs = new Float64Array(WIDTH * 1024);
  /** Of each requester: the row of its last instruction. */
  readonly #current: Int32Array;
  /** Cycles of a plain hit, by requester: data, instructions. */
  readonly #hits: readonly (readonly [number, number])[];
  readonly #prices: Map<string, number>[] = [];
  #requesterGiven = 0;

  constructor(machine: ResolvedMachine) {
    this.#machine = machine;
    this.#current = new Int32Array(machine.cores.length + machine.devices.length).fill(-1);
    this.#hits = machine.cores.map(({ id, l1d, l1i }) => {
      const cycles = (cache: number) => {
        const level = machine.caches[cache]?.level;
        return level === undefined ? 0 : levelCycles(machine, id, level);
      };
      return [cycles(l1d), cycles(l1i)];
    });
  }

  /** `first` is the number of the first record in `words`, as the log counts them. `counts`: instructions alone are remembered otherwise. */
  add(words: Uint32Array, first: number, log: MissLog, counts = true): void {
    const entries = log[Symbol.iterator]();
    let entry = entries.next();
    let record = first;
    for (let index = 0; index < words.length; index += 2) {
      const high = words[index + 1] as number;
      const operation = operationOf(high);
      if (isPrefix(operation)) {
        if (operation === WITH.code) this.#requesterGiven = ((words[index] as number) >>> 24) | ((high & 0xff) << 8);
        continue;
      }
      const requester = this.#requesterGiven > 0 ? this.#requesterGiven - 1 : requesterOf(high);
      this.#requesterGiven = 0;
      if (operation === FETCH.code) {
        this.#current[requester] = this.#rowOf((high & 0xffff) * 2 ** 32 + (words[index] as number));
      }
      const met: MissLogEntry[] = [];
      for (; !entry.done && entry.value.record <= record; entry = entries.next()) met.push(entry.value);
      record++;
      if (counts) this.#count(operation, requester, met);
    }
  }

  /** `originalAddress` says what an instruction's address was in the trace. */
  profile(about: {
    readonly trace: string;
    readonly notes: readonly string[];
    readonly originalAddress: (address: number) => number;
  }): Profile {
    const { trace, notes, originalAddress } = about;
    const rows = [...this.#rows]
      .map(([address, row]) => ({
        address: address === NO_INSTRUCTION ? address : originalAddress(address),
        costs: [...this.#costs.subarray(row * WIDTH, (row + 1) * WIDTH)],
      }))
      .filter(({ costs }) => costs.some((cost) => cost > 0))
      .sort((a, b) => a.address - b.address);
    const totals = PROFILE_EVENTS.map((_, index) => rows.reduce((sum, { costs }) => sum + (costs[index] as number), 0));
    return { trace, notes, machine: this.#machine.name, rows, totals };
  }

  #count(operation: number, requester: number, met: readonly MissLogEntry[]): void {
    const current = this.#current[requester] as number;
    const row = (current >= 0 ? current : this.#rowOf(NO_INSTRUCTION)) * WIDTH;
    const costs = this.#costs;
    const add = (event: number, amount: number): void => {
      costs[row + event] = (costs[row + event] as number) + amount;
    };
    // Counters of reads and writes stand beside those of fetches, each three places on.
    const kinds =
      operation === FETCH.code
        ? [IR]
        : operation === LOAD.code
          ? [DR]
          : operation === STORE.code
            ? [DW]
            : operation === ATOMIC.code
              ? [DR, DW]
              : [];
    for (const kind of kinds) add(kind, 1);
    if (met.length === 0) {
      if (kinds.length > 0) add(CYCLES, this.#hits[requester]?.[operation === FETCH.code ? 1 : 0] ?? 0);
      return;
    }
    let beyondL1 = false;
    let memory = false;
    for (const { level, event, missed, supplies, walk } of met) {
      if (missed !== undefined) {
        if (!walk && /^L1[ID]?$/.test(missed)) beyondL1 = true;
        continue;
      }
      add(CYCLES, this.#price(requester, level, event));
      if (event === "writeback") add(WB, 1);
      else if (event === "maintenance") add(MAINT, 1);
      if (!supplies || walk) continue;
      if (UNCACHED.has(event)) add(NC, 1);
      if (PEERS.has(event)) add(PEER, 1);
      if (MEMORY.has(event)) memory = true;
    }
    for (const kind of kinds) {
      if (beyondL1) add(I1MR + kind, 1);
      if (memory) add(ILMR + kind, 1);
    }
  }

  #price(requester: number, level: string | undefined, event: CostEvent | undefined): number {
    if (event !== undefined) return eventCycles(this.#machine, event);
    this.#prices[requester] ??= new Map();
    const prices = this.#prices[requester] as Map<string, number>;
    let price = prices.get(level as string);
    if (price === undefined) {
      price = levelCycles(this.#machine, requester, level as string);
      prices.set(level as string, price);
    }
    return price;
  }

  #rowOf(address: number): number {
    const known = this.#rows.get(address);
    if (known !== undefined) return known;
    const row = this.#rows.size;
    this.#rows.set(address, row);
    if ((row + 1) * WIDTH > this.#costs.length) {
      const grown = new Float64Array(2 * this.#costs.length);
      grown.set(this.#costs);
      this.#costs = grown;
    }
    return row;
  }
}
