/**
 * What a story plays in: the machine's cores, devices and memory, its own switches, and its narration. Everything that
 * happens goes through one engine; the world only names it.
 */
import { BareCpu } from "../cpu/bare.ts";
import type { Cpu } from "../cpu/cpu.ts";
import { DmaEngine } from "../devices/dma-engine.ts";
import { Pl310 } from "../devices/pl310.ts";
import type { Copy, Counters, Engine } from "../engine/engine.ts";
import { MachineError, SetwayError } from "../engine/errors.ts";
import { Hypervisor, type HypervisorOptions } from "../hypervisor/hypervisor.ts";
import { nearestWord } from "../machine/nearest.ts";
import { type ReplayOptions, replay } from "./replay.ts";
import type { AnyStory, Era, Story } from "./story.ts";
import type { MachineTraits } from "./traits.ts";

/** One step of the narration: records first up to, but not including, end. */
export interface Step {
  readonly text: string;
  readonly first: number;
  end: number;
  /** Facts and checks of this step, in order. */
  readonly remarks: Remark[];
  /** What the hypervisor did meanwhile, in its own words. */
  readonly hypervisor: string[];
  /** With a trace: the state at its end. */
  after?: StepState;
}

/** What a trace keeps of the state after a step; counters are those from the beginning. */
export interface StepState {
  readonly counters: Counters;
  /** Dirty copies by cache id. */
  readonly dirtyLines: readonly number[];
  readonly lines: readonly LineState[];
}

/** Where one line is. */
export interface LineState {
  /** What the story calls it, if it does. */
  readonly name: string | undefined;
  readonly address: number;
  readonly copies: readonly Copy[];
  /** Whether memory has the newest bytes. */
  readonly memoryIsNewest: boolean;
}

/** A fact that the story tells, something that it checked, or what software got. */
export interface Remark {
  readonly text: string;
  readonly actual: unknown;
  /** Absent for a fact. */
  readonly expected?: unknown;
  readonly held: boolean;
  /** Of `result`: if it didn't hold, that is the variant's finding and not the story's failure. */
  readonly isResult?: true;
}

export interface AllocateOptions {
  /** Home socket of the memory; any if absent. */
  readonly socket?: number;
  /** A power of two; 4096 if absent. */
  readonly alignBytes?: number;
}

/** A recording in memory: two 32-bit words an entry. */
export interface RecordedTrace {
  readonly name: string;
  readonly words: Uint32Array;
}

/** What the runner gives a world, apart from its engine. */
export interface WorldOptions {
  readonly story: AnyStory;
  readonly traits: MachineTraits;
  readonly fixes: readonly string[];
  readonly era: Era;
  /** Opens a recording by name; the runner has made sure that those the story names are there. */
  readonly trace?: ((name: string) => Promise<RecordedTrace>) | undefined;
  /** Called at the end of each step. */
  readonly stepped?: (step: Step) => void;
}

const PAGE_BYTES = 4096;
/** The world allocates from here in each memory region, below a hypervisor's own pool. */
const ALLOCATION_OFFSET = 0x10_0000;
/** How much of a region the world hands out: a hypervisor takes its pages from behind this. */
const WORLD_BYTES = 0x2000_0000;
const worldBytes = (regionBytes: number): number =>
  Math.min(WORLD_BYTES, Math.floor(regionBytes / 2 / PAGE_BYTES) * PAGE_BYTES);

export class World<Fix extends string = string> {
  readonly machine: MachineTraits;
  readonly engine: Engine;
  /** `bare`, or the KVM policy that the story's VM runs under. */
  readonly era: Era;
  readonly steps: Step[] = [];
  private readonly options: WorldOptions;
  private readonly fixes: ReadonlySet<string>;
  private readonly cores = new Map<number, BareCpu>();
  private readonly allocated = new Map<number, number>();
  /** Named lines whose copies a trace shows after each step. */
  readonly watched = new Map<string, number>();
  private outerCache: Pl310 | undefined;
  private open: Step | undefined;

  constructor(engine: Engine, options: WorldOptions) {
    this.engine = engine;
    this.options = options;
    this.machine = options.traits;
    this.era = options.era;
    this.fixes = new Set(options.fixes);
  }

  /** Whether a fix is on. */
  has(fix: Fix): boolean {
    const known = Object.keys((this.options.story as Story).fixes);
    if (!known.includes(fix)) {
      throw new SetwayError("usage", `story ${this.options.story.name} asks for a fix that it doesn't have`, {
        found: fix,
        expected: known.join(", "),
        nearest: nearestWord(fix, known),
      });
    }
    return this.fixes.has(fix);
  }

  /** A core without a hypervisor. Throws `MachineError` where the machine has no such core. */
  core(index: number): BareCpu {
    let cpu = this.cores.get(index);
    if (cpu === undefined) {
      const { length } = this.engine.machine.cores;
      if (!Number.isInteger(index) || index < 0 || index >= length) {
        throw new MachineError(`${this.machine.name} has no such core`, {
          found: `core ${index}`,
          expected: `0 to ${this.machine.cores - 1}`,
        });
      }
      cpu = new BareCpu(this.engine, index);
      this.cores.set(index, cpu);
    }
    return cpu;
  }

  /** The n-th core of a socket, by default its first. */
  coreOfSocket(socket: number, nth = 0): BareCpu {
    const cores = this.engine.machine.cores.filter((core) => core.socket === socket);
    const found = cores[nth];
    if (found === undefined) {
      throw new MachineError(`${this.machine.name} has no such core`, {
        found: `core ${nth} of socket ${socket}`,
        expected: `${this.machine.sockets} sockets, ${cores.length} cores in this one`,
      });
    }
    return this.core(found.id);
  }

  /** A DMA master by name: the story's own devices and the machine's. */
  device(name: string): DmaEngine {
    return new DmaEngine(this.engine, name);
  }

  /** The machine's PL310, one for the whole world. Throws where there is none (`needs: ["outer cache"]`). */
  pl310(): Pl310 {
    const { outer } = this.engine.machine;
    if (outer === undefined) {
      throw new MachineError(`${this.machine.name} has no outer cache`, { expected: 'needs: ["outer cache"]' });
    }
    this.outerCache ??= new Pl310(outer);
    return this.outerCache;
  }

  /** Memory that nobody else uses: page-aligned physical addresses, each allocation once. */
  allocate(bytes: number, options: AllocateOptions = {}): number {
    const align = Math.max(options.alignBytes ?? PAGE_BYTES, PAGE_BYTES);
    if (!Number.isSafeInteger(bytes) || bytes < 0) {
      throw new SetwayError("usage", "no such amount of memory", {
        found: String(bytes),
        expected: "a number of bytes",
      });
    }
    for (const [index, region] of this.engine.machine.memory.entries()) {
      if (region.type !== "ram" || (options.socket !== undefined && region.socket !== options.socket)) continue;
      const from = this.allocated.get(index) ?? region.base + Math.min(ALLOCATION_OFFSET, region.sizeBytes);
      const address = Math.ceil(from / align) * align;
      const end = address + Math.ceil(bytes / PAGE_BYTES) * PAGE_BYTES;
      if (end > region.base + worldBytes(region.sizeBytes)) continue;
      this.allocated.set(index, end);
      return address;
    }
    throw new MachineError(`${this.machine.name} has no memory left for the story`, {
      found: `${bytes} bytes${options.socket === undefined ? "" : ` of socket ${options.socket}`}`,
      expected: `at most ${WORLD_BYTES} bytes of each region`,
    });
  }

  /** The line leaves every cache on this CPU's path, innermost first, as if replaced: at any time something may do that (R19). */
  replace(cpu: Cpu, address: number): void {
    const deepest = Math.max(0, ...this.engine.machine.caches.map(({ depth }) => depth));
    for (let level = 0; level < deepest; level++) cpu.evict(address);
  }

  /** A hypervisor over this world's engine, with the era's policy unless another is given. Not on bare metal. */
  hypervisor(options: Partial<HypervisorOptions> = {}): Hypervisor {
    const era = options.era ?? (this.era === "bare" ? undefined : this.era);
    if (era === undefined) {
      throw new SetwayError("usage", `story ${this.options.story.name} is played on bare metal`, {
        found: "hypervisor()",
        expected: "an era among the story's eras, or one given here",
      });
    }
    return new Hypervisor(this.engine, {
      ram: this.hypervisorRam(),
      ...options,
      era,
      onStep: (step) => {
        (this.open ?? this.begin("", this.engine.records)).hypervisor.push(step.what);
        options.onStep?.(step);
      },
    });
  }

  /** Begins a step of the narration. What is played before the first one belongs to a step without a text. */
  step(text: string): void {
    if (this.steps.length === 0 && this.engine.records > 0) this.begin("", 0);
    this.finish();
    this.begin(text, this.engine.records);
  }

  /** With `--trace`, each step says where the line of this physical address is. */
  watch(name: string, address: number): void {
    this.watched.set(name, address);
  }

  /** Tells a fact: what somebody saw, how many there were. */
  tell(text: string, value?: unknown): void {
    this.remark({ text, actual: value, held: true });
  }

  /** Asserts: a story whose check fails doesn't meet its expectations. Returns whether it held. */
  check<T>(text: string, actual: T, expected: T): boolean {
    const held = Object.is(actual, expected);
    this.remark({ text, actual, expected, held });
    return held;
  }

  /**
   * What software got, and what would have been right. If they differ, the variant shows a `wrong-result`, which `expect`
   * names like a hazard: for what goes wrong without anybody having seen an old value of a line. Returns whether it was right.
   */
  result<T>(text: string, actual: T, right: T): boolean {
    const held = Object.is(actual, right);
    this.remark({ text, actual, expected: right, held, isResult: true });
    return held;
  }

  /**
   * From now on the 4 KiB pages of a range belong to somebody else (R28): who sees what was there before, instead of what was
   * written there last, has a `leak` and not a stale value. Call it once the pages have been cleared for their new owner.
   */
  giveAway(address: number, bytes: number = PAGE_BYTES): void {
    const first = Math.floor(address / PAGE_BYTES) * PAGE_BYTES;
    for (let page = first; page < address + bytes; page += PAGE_BYTES) this.core(0).operation("ASSIGN_PAGE", page);
  }

  /** A recording that the story has named in `traces`. */
  trace(name: string): Promise<RecordedTrace> {
    const { story, trace } = this.options;
    if (!(story.traces ?? []).includes(name) || trace === undefined) {
      throw new SetwayError("usage", `story ${story.name} plays a recording that it doesn't name`, {
        found: name,
        expected: `traces: ["${name}"]`,
      });
    }
    return trace(name);
  }

  /** What `allocate` leaves of each region: a hypervisor's pages and the story's own never meet. */
  private hypervisorRam(): { readonly base: number; readonly bytes: number }[] {
    return this.engine.machine.memory
      .filter(({ type }) => type === "ram")
      .map(({ base, sizeBytes }) => {
        const own = worldBytes(sizeBytes);
        // The last line of the largest memories has no number (D7, readings): its page is left alone.
        return { base: base + own, bytes: sizeBytes - own - PAGE_BYTES };
      });
  }

  /** Plays a recording's entries on this machine's cores, by their own numbers, and says how many set/way loops it had. */
  replay(trace: RecordedTrace, options: ReplayOptions = {}): number {
    return replay(this.engine, (core) => this.core(core), trace.words, options);
  }

  /** Ends the step that is being told. */
  finish(): void {
    const step = this.open;
    if (step === undefined) return;
    this.open = undefined;
    step.end = this.engine.records;
    this.options.stepped?.(step);
  }

  private begin(text: string, first: number): Step {
    const step: Step = { text, first, end: first, remarks: [], hypervisor: [] };
    this.steps.push(step);
    this.open = step;
    return step;
  }

  private remark(remark: Remark): void {
    (this.open ?? this.begin("", this.engine.records)).remarks.push(remark);
  }
}
