/**
 * Page tables of a guest (or of a bare core's kernel): VMSAv8-64, 4 KiB granule, written by real stores of any `Cpu` into
 * memory that is given to them. It does what a careful kernel does: zeroed tables, break before make, TLBI, barriers; cache
 * maintenance of the tables is the caller's, as it is a kernel's that writes them with caches off.
 */
import type { AccessOptions, Cpu } from "../cpu/cpu.ts";
import { SetwayError } from "../engine/errors.ts";
import { entryOf } from "../machine/nearest.ts";
import { PAGE_BYTES, type Shareability, spanOf, stage1Leaf, tcrOf, type WalkCacheability } from "./descriptors.ts";
import type { PhysicalRange } from "./pages.ts";
import { TableTree } from "./tables.ts";

/** Bytes of MAIR_EL1 (D42); a descriptor's AttrIndx is the position here. */
export const MAIR_BYTES = {
  device: 0x00,
  "device nGnRE": 0x04,
  "non-cacheable": 0x44,
  "write-back": 0xff,
  "write-through": 0xbb,
  "device GRE": 0x0c,
  "inner write-back, outer non-cacheable": 0x4f,
  "inner non-cacheable, outer write-back": 0xf4,
} as const;
export type Stage1Memory = keyof typeof MAIR_BYTES;
const MEMORY_TYPES = Object.keys(MAIR_BYTES) as readonly Stage1Memory[];

/** What a careful kernel does around a change, and a story's kernel may forget. */
export const STAGE1_STEPS = {
  "break before make": "clearing a live descriptor, with its TLBI, before another one is written",
  TLBI: "invalidating the translations of a descriptor that was cleared",
  "TLBI of tables":
    "TLBI of every level (VAAE1): without it only of leaves (VAALE1), and walks keep pointers to tables",
} as const;
export type Stage1Step = keyof typeof STAGE1_STEPS;

export interface Stage1TablesOptions {
  /** Where table pages lie: addresses as the walk has them (IPA, or physical on a bare core). */
  readonly memory: PhysicalRange;
  /** Bits of VA of each half, 25 to 48; default 39. */
  readonly vaBits?: number;
  readonly asid?: number;
  /** TCR_EL1's cacheability of walks; default Write-Back. */
  readonly walks?: WalkCacheability;
  /** Difference between the VA by which the CPU writes tables and their address; default 0, identity. */
  readonly offset?: number;
  /** How the CPU writes tables, where its mapping is flat. */
  readonly access?: AccessOptions;
  /** Steps that this kernel forgets. */
  readonly without?: readonly Stage1Step[];
}

/** What a mapping is; default: Write-Back, writable and executable by EL1 alone, the largest leaves up to 2 MiB. */
export interface Stage1Options {
  readonly memory?: Stage1Memory;
  readonly write?: boolean;
  readonly user?: boolean;
  readonly execute?: boolean;
  readonly executeAtUser?: boolean;
  readonly shareability?: Shareability;
  readonly global?: boolean;
  readonly accessed?: boolean;
  readonly largest?: "page" | "2 MiB" | "1 GiB";
}

const LARGEST = { page: 3, "2 MiB": 2, "1 GiB": 1 } as const;
/** Bit 47 says which half a VA is in (D39, D45). */
const UPPER = 2 ** 47;

export class Stage1Tables {
  readonly #cpu: Cpu;
  readonly #options: Stage1TablesOptions;
  readonly #vaBits: number;
  #next: number;
  readonly #lower: TableTree;
  #upper: TableTree | undefined;

  constructor(cpu: Cpu, options: Stage1TablesOptions) {
    this.#cpu = cpu;
    this.#options = options;
    this.#vaBits = options.vaBits ?? 39;
    if (!(Number.isInteger(this.#vaBits) && this.#vaBits >= 25 && this.#vaBits <= 48)) {
      throw new SetwayError("usage", "no such VA size", { found: `${this.#vaBits} bits`, expected: "25 to 48 bits" });
    }
    for (const step of options.without ?? []) entryOf(STAGE1_STEPS, step, "step to leave out");
    this.#next = Math.ceil(options.memory.base / PAGE_BYTES) * PAGE_BYTES;
    this.#lower = this.#makeTree(false);
  }

  /** Base of the tables of the lower half, as TTBR0_EL1 has it; of the upper half once something is mapped there. */
  root(half: "lower" | "upper" = "lower"): number | undefined {
    return (half === "lower" ? this.#lower : this.#upper)?.root;
  }

  /** Where the tables end so far: what a kernel with caches off has to maintain. */
  get used(): PhysicalRange {
    const { base } = this.#options.memory;
    return { base, bytes: this.#next - base };
  }

  /**
   * Address of the descriptor of a level (0 to 3) for a VA, as the walk has it; undefined where no table of that level is on
   * the way. A kernel's own mistakes are stores to it: what `map` and `unmap` know is not changed by them.
   */
  entry(va: number, level: number): number | undefined {
    return this.#treeOf(va).entryAddress(this.#inputOf(va), level);
  }

  /** Maps a range of VA. Bit 47 chooses the half. */
  map(va: number, output: number, bytes: number, options: Stage1Options = {}): this {
    const { memory = "write-back", largest = "2 MiB", global = true, ...permissions } = options;
    entryOf(MAIR_BYTES, memory, "memory type");
    const attribute = MEMORY_TYPES.indexOf(memory);
    const tree = this.#treeOf(va);
    this.#eachLeaf(va, output, bytes, LARGEST[largest], (input, to, level) => {
      tree.set(input, level, stage1Leaf({ level, output: to, attribute, global, ...permissions }));
    });
    this.#cpu.dsb();
    this.#cpu.isb();
    return this;
  }

  /** Clears every leaf that a range touches, and its translations. */
  unmap(va: number, bytes: number): this {
    const tree = this.#treeOf(va);
    for (const { input } of [...tree.leaves(this.#inputOf(va), bytes)]) {
      tree.clear(input);
      this.#invalidate(input, va >= UPPER);
    }
    return this;
  }

  /**
   * Writes MAIR, TCR and the TTBRs. They are used once SCTLR_EL1.M is set, on a bare core after `core.translate()`, in a VM
   * made with `stage1: "tables"`. On another CPU than the one that writes the tables: `install(cpu)`.
   */
  install(cpu: Cpu = this.#cpu): this {
    const { asid = 0, walks = "write-back" } = this.#options;
    const mair = MEMORY_TYPES.reduce(
      (value, name, index) => value | (BigInt(MAIR_BYTES[name]) << BigInt(8 * index)),
      0n,
    );
    cpu.msr("MAIR_EL1", mair);
    cpu.msr("TCR_EL1", tcrOf({ vaBits: this.#vaBits, walks, upper: this.#upper !== undefined }));
    cpu.msr("TTBR0_EL1", BigInt(this.#lower.root) | (BigInt(asid) << 48n));
    if (this.#upper) cpu.msr("TTBR1_EL1", BigInt(this.#upper.root));
    cpu.isb();
    return this;
  }

  #makeTree(upper: boolean): TableTree {
    const { offset = 0, access = {} } = this.#options;
    const startLevel = 4 - Math.ceil((this.#vaBits - 12) / 9);
    return new TableTree(
      { startLevel, tables: 1 },
      {
        allocate: () => {
          const table = this.#takePage();
          this.#cpu.fill(table + offset, PAGE_BYTES, 0, access);
          return table;
        },
        free: () => {},
        write: (entry, descriptor) => {
          this.#cpu.store(entry + offset, descriptor, { ...access, size: 8 });
        },
        invalidate: (input) => this.#invalidate(input, upper),
      },
      this.#does("break before make"),
    );
  }

  #takePage(): number {
    const { base, bytes } = this.#options.memory;
    if (this.#next + PAGE_BYTES > base + bytes) {
      throw new SetwayError("usage", "no room for another table", {
        found: `${bytes} bytes at 0x${base.toString(16)}`,
      });
    }
    this.#next += PAGE_BYTES;
    return this.#next - PAGE_BYTES;
  }

  #treeOf(va: number): TableTree {
    if (va >= UPPER) {
      this.#upper ??= this.#makeTree(true);
      return this.#upper;
    }
    return this.#lower;
  }

  /** The bits of a VA that its half resolves. */
  #inputOf(va: number): number {
    return va % 2 ** this.#vaBits;
  }

  #eachLeaf(
    va: number,
    output: number,
    bytes: number,
    largest: number,
    map: (input: number, output: number, level: number) => void,
  ): void {
    if (va % PAGE_BYTES !== 0 || output % PAGE_BYTES !== 0 || bytes % PAGE_BYTES !== 0) {
      throw new SetwayError("usage", "only whole pages are mapped", {
        found: [va, output, bytes].map((value) => `0x${value.toString(16)}`).join(", "),
      });
    }
    for (let done = 0; done < bytes; ) {
      const fits = (each: number) => {
        const span = spanOf(each);
        return (va + done) % span === 0 && (output + done) % span === 0 && bytes - done >= span;
      };
      let level = largest;
      while (level < 3 && !fits(level)) level++;
      map(this.#inputOf(va + done), output + done, level);
      done += spanOf(level);
    }
  }

  #does(step: Stage1Step): boolean {
    return !(this.#options.without ?? []).includes(step);
  }

  /** All ASIDs, all cores: a careful kernel's flush_tlb_kernel_range. */
  #invalidate(input: number, upper: boolean): void {
    if (!this.#does("TLBI")) return;
    const ones = upper ? (1n << 56n) - (1n << BigInt(this.#vaBits)) : 0n;
    this.#cpu.dsb();
    this.#cpu.tlbi(this.#does("TLBI of tables") ? "VAAE1" : "VAALE1", (BigInt(input) | ones) >> 12n);
    this.#cpu.dsb();
    this.#cpu.isb();
  }
}
