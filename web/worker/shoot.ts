/**
 * Makes the film of a story. The story is played once, live, and its calls are kept; then the same calls are played again
 * on fresh kernels: in chunks, to find those that touch the lines of interest, and at last record by record there.
 */
import { EVERYTHING_RECORDED, type Hazard, type Place } from "../../src/engine/engine.ts";
import { HAZARD_CLASSES } from "../../src/engine/hazards.ts";
import { createKernel, type Kernel } from "../../src/engine/kernel.ts";
import { OPERATIONS } from "../../src/engine/operations.ts";
import { decodeRecords, formatRecord, type RecordEntry } from "../../src/engine/record.ts";
import { CONTEXT_EL_MASK, SYSTEM_REGISTERS } from "../../src/engine/system-registers.ts";
import { totalCycles } from "../../src/machine/cycles.ts";
import type { LoadedMachine } from "../../src/machine/index.ts";
import { formatBytes } from "../../src/machine/quantity.ts";
import type { Cache, ResolvedMachine } from "../../src/machine/resolved.ts";
import { explainHazard, placeName } from "../../src/report/explain.ts";
import { count } from "../../src/report/number.ts";
import { type PlayedStory, runStory, shown, type TraceShelf } from "../../src/scenario/run-story.ts";
import { type AnyStory, type Era, kindOf } from "../../src/scenario/story.ts";
import type { Step } from "../../src/scenario/world.ts";
import { isPrefix, operationOf } from "../../src/trace/entry.ts";
import {
  cacheKey,
  type Film,
  type FilmCache,
  type FilmHazard,
  type FilmLine,
  type FilmMachine,
  type Frame,
  LEVEL_SHIFT,
  type PlaceKey,
  requesterKey,
  SCTLR_SHOWN,
} from "../film.ts";
import { linesOfInterest } from "./lines.ts";
import { Contents, isSame, Lookout, type Sight } from "./lookout.ts";
import { changesBetween, detailOf, type Events, movesOf, type Scene, touches } from "./moves.ts";
import { Tape } from "./tape.ts";
import { recordText, Tally } from "./words.ts";

export interface ShotOptions {
  readonly machine: LoadedMachine;
  /** The story's own if absent. */
  readonly era?: Era | undefined;
  readonly fixes?: readonly string[] | undefined;
  readonly traces?: TraceShelf;
}

export type Shot = { readonly film: Film } | { readonly skipped: string };

/** Hazards that are explained one by one; all others are only counted. */
const HAZARDS_EXPLAINED = 30;
/** Up to so many records each is looked at; of more, chunks are. */
const RECORDS_LOOKED_AT = 512;
const CHUNKS_LOOKED_AT = 1000;
/** A chunk in which something happens is looked at again, in so many parts. */
const CHUNK_PARTS = 80;
/** Frames in which a line of interest is only used; those in which something changes are always kept. */
const FRAMES_OF_USE = 600;

/** Plays a story and films it. Throws what `runStory` throws. */
export async function shoot(story: AnyStory, options: ShotOptions): Promise<Shot> {
  const { machine, era, fixes, traces } = options;
  let tape: Tape | undefined;
  const variant = { machine, trace: true, leaveOutIdle: true, ...(era ? { era } : {}), ...(traces ? { traces } : {}) };
  const played = await runStory(story, {
    ...variant,
    ...(fixes ? { fixes } : {}),
    wrap: (engine) => {
      tape = new Tape(engine);
      return tape;
    },
  });
  if (played.skipped !== undefined) return { skipped: played.skipped };
  const plays = [played];
  // What the bug is about stays of interest when it is fixed. A recording would take too long to play again.
  if (story.traces === undefined && [...played.fixes].join() !== [...story.defaults].join()) {
    const bug = await runStory(story, variant);
    if (bug.skipped === undefined) plays.unshift(bug);
  }
  const lines = linesOfInterest(plays, played.machine);
  return { film: new Camera(played, (tape as Tape).calls, lines, machine.machine.cores.length).film() };
}

/** Records, and whether they have to be looked at more closely. */
interface Piece {
  readonly words: Uint32Array;
  readonly isEventful: boolean;
}

class Camera {
  readonly #played: PlayedStory;
  readonly #calls: readonly Uint32Array[];
  readonly #lines: readonly FilmLine[];
  readonly #coresDescribed: number;
  readonly #contents = new Contents();
  /** The first ones, and by record. */
  readonly #hazards: readonly Hazard[];
  readonly #frames: Frame[] = [];
  readonly #quiet = { first: 0, tally: new Tally(), control: new Map<number, number>() };
  readonly #control: number[];

  constructor(played: PlayedStory, calls: readonly Uint32Array[], lines: readonly FilmLine[], coresDescribed: number) {
    this.#played = played;
    this.#coresDescribed = coresDescribed;
    this.#calls = calls;
    this.#lines = lines;
    this.#hazards = played.hazards.slice(0, HAZARDS_EXPLAINED);
    this.#control = played.machine.cores.map(() => played.machine.initialSctlr & SCTLR_SHOWN);
  }

  film(): Film {
    const { machine, story } = this.#played;
    const pieces = this.#pieces();
    const kernel = this.#kernel();
    const lookout = new Lookout(kernel, this.#lines, this.#contents);
    const start = lookout.look();
    let sight = start;
    for (const { words, isEventful } of pieces) {
      if (isEventful) sight = this.#shoot(kernel, lookout, words, sight);
      else this.#pass(kernel, words);
    }
    this.#cut();
    return {
      story: { name: story.name, title: story.title, source: story.source },
      setting: { machine: this.#played.machineName, era: this.#played.era, fixes: this.#played.fixes },
      machine: machineOf(machine, this.#coresDescribed),
      lines: this.#lines,
      start: start.map((places) => Object.fromEntries(places)),
      contents: this.#contents.all,
      steps: this.#played.steps.map((step) => this.#step(step)),
      frames: this.#frames,
      hazards: this.#hazards.map((hazard) => this.#hazard(hazard)),
      found: HAZARD_CLASSES.map(({ name, kind }) => ({
        class: name,
        kind,
        occurrences: this.#played.hazards.reduce((sum, each) => sum + (each.class === name ? each.occurrences : 0), 0),
      })).filter(({ occurrences }) => occurrences > 0),
      expected: this.#played.expected,
      unmet: this.#played.unmet,
      records: this.#played.records,
      cycles: totalCycles(machine, this.#played.counters).total,
    };
  }

  #kernel(): Kernel {
    const { machine, story } = this.#played;
    return createKernel(machine, { provenance: { ...EVERYTHING_RECORDED, ...story.recorded } });
  }

  /** All records: those that have to be looked at one by one, the rest in chunks. */
  #pieces(): Piece[] {
    const { records } = this.#played;
    let size = records <= RECORDS_LOOKED_AT ? 1 : Math.ceil(records / CHUNKS_LOOKED_AT);
    let pieces: Piece[] = [...chunksOf(this.#calls, size)].map((words) => ({ words, isEventful: true }));
    while (size > 1) {
      size = Math.ceil(size / CHUNK_PARTS);
      pieces = this.#judged(pieces).flatMap((piece) =>
        piece.isEventful ? [...chunksIn(piece.words, size)].map((words) => ({ ...piece, words })) : [piece],
      );
    }
    return pieces;
  }

  /** Of the pieces in question, which change a line of interest, use one, or hold a hazard or the write that it missed. */
  #judged(pieces: readonly Piece[]): Piece[] {
    const kernel = this.#kernel();
    const lookout = new Lookout(kernel, this.#lines, this.#contents);
    const named = new Set(this.#hazards.flatMap(({ record, newest }) => [record, newest]));
    let uses = 0;
    let sight = lookout.look();
    return pieces.map(({ words, isEventful }) => {
      const first = kernel.records;
      kernel.run(words);
      if (!isEventful) return { words, isEventful };
      const now = lookout.look();
      const changed = !isSame(sight, now);
      sight = now;
      for (let record = first; record < kernel.records; record++) {
        if (named.has(record)) return { words, isEventful: true };
      }
      if (changed || uses >= FRAMES_OF_USE) return { words, isEventful: changed };
      const used = decodeRecords(words).filter((entry) => this.#uses(entry)).length;
      uses += used;
      return { words, isEventful: used > 0 };
    });
  }

  #uses(entry: RecordEntry): boolean {
    if (entry.code === OPERATIONS.SCTLR.code) return true;
    return this.#lines.some((line) => touches(entry, line, this.#played.machine.smallestLineBytes));
  }

  /** Plays what nobody has to look at. */
  #pass(kernel: Kernel, words: Uint32Array): void {
    const first = kernel.records;
    kernel.run(words);
    if (isPlain(words)) {
      this.#begin(first);
      this.#quiet.tally.addPlain(words);
      return;
    }
    // What exited is tried again by another call, or has been emulated: it changed no register.
    const played = kernel.records - first;
    decodeRecords(words).forEach((entry, index) => {
      this.#tallied(first + index, entry, index < played);
    });
  }

  /** Plays one record and looks what it did. */
  #shoot(kernel: Kernel, lookout: Lookout, words: Uint32Array, before: Sight): Sight {
    const [entry] = decodeRecords(words);
    const first = kernel.records;
    if (entry === undefined) {
      kernel.run(words);
      return lookout.look();
    }
    const eventsBefore = eventsOf(kernel, entry.requester);
    kernel.run(words);
    const after = lookout.look();
    const changes = changesBetween(before, after);
    const isPlayed = kernel.exit === undefined;
    const isControl = entry.code === OPERATIONS.SCTLR.code && isPlayed;
    const hazards = this.#hazards.flatMap(({ record }, index) =>
      record === first && kernel.records > first ? [index] : [],
    );
    const isWrite = this.#hazards.some(({ newest }) => newest === first);
    if (changes.length === 0 && hazards.length === 0 && !isWrite && !isControl && !this.#uses(entry)) {
      this.#tallied(first, entry, isPlayed);
      return after;
    }
    this.#cut(first);
    const { machine } = this.#played;
    const eventsAfter = eventsOf(kernel, entry.requester);
    const touched = this.#lines.map(
      (line) =>
        touches(entry, line, machine.smallestLineBytes) ||
        this.#hazards.some(
          ({ record, newest, line: at }) => at === line.address && (record === first || newest === first),
        ),
    );
    const lines = this.#lines;
    const scene: Scene = { machine, lines, entry, before, after, changes, touched, eventsBefore, eventsAfter };
    const moves = movesOf(scene);
    this.#frames.push({
      step: this.#stepAt(first),
      first,
      count: kernel.records - first,
      requester: entry.requester,
      text: recordText(entry, machine) + (kernel.exit === undefined ? "" : `: ${kernel.exit.type}, to the hypervisor`),
      detail: detailOf(scene, moves),
      changes,
      moves,
      control: isPlayed ? this.#controlled(entry) : [],
      hazards,
    });
    return after;
  }

  /** What a record changes of its core's mode. */
  #controlled(entry: RecordEntry): Frame["control"] {
    const core = entry.requester;
    const before = this.#control[core];
    const after = before === undefined ? undefined : modeAfter(entry, before);
    if (before === undefined || after === undefined || after === before) return [];
    this.#control[core] = after;
    return [{ core, before, after }];
  }

  /** A record that belongs to the frame of those that did nothing to the lines. */
  #tallied(record: number, entry: RecordEntry, isPlayed: boolean): void {
    this.#begin(record);
    this.#quiet.tally.add(entry);
    const { control } = this.#quiet;
    for (const { core, before } of isPlayed ? this.#controlled(entry) : []) {
      if (!control.has(core)) control.set(core, before);
    }
  }

  /** Makes sure that there is a frame of such records that a record of this number can join. */
  #begin(record: number): void {
    const { tally, first } = this.#quiet;
    if (tally.count > 0 && this.#stepAt(first) !== this.#stepAt(record)) this.#cut(record);
    if (this.#quiet.tally.count === 0) this.#quiet.first = record;
  }

  /** Ends the frame of records that did nothing to the lines, if there are any. */
  #cut(end = this.#played.records): void {
    const { first, tally, control } = this.#quiet;
    if (tally.count === 0) return;
    this.#frames.push({
      step: this.#stepAt(first),
      first,
      count: end - first,
      requester: tally.requester,
      text: tally.text(this.#played.machine),
      detail: "",
      changes: [],
      moves: [],
      control: [...control].map(([core, before]) => ({ core, before, after: this.#control[core] ?? before })),
      hazards: [],
    });
    this.#quiet.tally = new Tally();
    control.clear();
  }

  #stepAt(record: number): number {
    const steps = this.#played.steps;
    const index = steps.findIndex(({ first, end }) => record >= first && record < end);
    return index < 0 ? steps.length - 1 : index;
  }

  #frameAt(record: number): number {
    return record < 0 ? -1 : this.#frames.findIndex(({ first, count }) => record >= first && record < first + count);
  }

  #step({ text, first, end, remarks, hypervisor }: Step) {
    const index = this.#played.steps.findIndex((step) => step.first === first && step.text === text);
    const mine = this.#frames.flatMap(({ step }, frame) => (step === index && end > first ? [frame] : []));
    const before = this.#frames.filter((frame) => frame.first + frame.count <= first).length;
    return {
      text: text || "before the first step",
      first: mine[0] ?? before,
      end: (mine.at(-1) ?? before - 1) + 1,
      records: end - first,
      remarks: remarks.map((remark) => ({ text: remarkText(remark), held: remark.held })),
      hypervisor,
    };
  }

  #hazard(hazard: Hazard): FilmHazard {
    const { machine, steps, recordAt } = this.#played;
    const operationAt = (record: number) => {
      const entry = recordAt(record);
      return entry === undefined ? undefined : formatRecord(entry);
    };
    const nameOf = (record: number) => {
      const step = steps.findIndex(({ first, end }) => record >= first && record < end);
      return `record ${count(record)}${step < 0 ? "" : ` (step ${step + 1})`}`;
    };
    const told = explainHazard(hazard, machine, operationAt, nameOf);
    return {
      class: hazard.class,
      kind: kindOf(hazard.class) as FilmHazard["kind"],
      rule: HAZARD_CLASSES.find(({ name }) => name === hazard.class)?.rule ?? "",
      address: hazard.line,
      occurrences: hazard.occurrences,
      frame: this.#frameAt(hazard.record),
      writeFrame: this.#frameAt(hazard.newest),
      line: this.#lines.findIndex((line) => line.address === hazard.line),
      observer: requesterKey(hazard.observer),
      newestAt: keyOf(hazard.newestAt),
      explanation: Object.entries(told).filter((entry): entry is [string, string] => typeof entry[1] === "string"),
    };
  }
}

const REGISTER_WRITES: ReadonlySet<number> = new Set([OPERATIONS.SCTLR.code, OPERATIONS.MSR.code]);

/** Whether records can be counted without their prefixes: no core's mode changes, and every requester fits its record. */
function isPlain(words: Uint32Array): boolean {
  for (let at = 1; at < words.length; at += 2) {
    const code = operationOf(words[at] as number);
    if (REGISTER_WRITES.has(code) || code === OPERATIONS.WITH.code) return false;
  }
  return true;
}

const eventsOf = (kernel: Kernel, requester: number): Events => ({
  ...kernel.eventsOf(requester),
  ...kernel.hitsOf(requester),
});

/** A core's mode after a record that may write SCTLR_EL1 or go to another exception level. */
function modeAfter({ code, operand, value = 0n }: RecordEntry, mode: number): number {
  const level = mode - (mode & SCTLR_SHOWN);
  if (code === OPERATIONS.SCTLR.code) return level | (operand & SCTLR_SHOWN);
  if (code !== OPERATIONS.MSR.code) return mode;
  const written = Number(value & 0xffffn);
  if (operand === SYSTEM_REGISTERS.SCTLR_EL1.number) return level | (written & SCTLR_SHOWN);
  if (operand !== SYSTEM_REGISTERS.CONTEXT.number) return mode;
  // Programs at EL0 are as much the guest as its kernel is.
  return (mode & SCTLR_SHOWN) | (Math.max(1, written & CONTEXT_EL_MASK) << LEVEL_SHIFT);
}

function remarkText(remark: Step["remarks"][number]): string {
  const value = remark.actual === undefined ? "" : `: ${shown(remark.actual)}`;
  const expected = remark.held || remark.expected === undefined ? "" : `, should be ${shown(remark.expected)}`;
  return `${remark.text}${value}${expected}`;
}

function keyOf(place: Place): PlaceKey | undefined {
  if (typeof place === "object") return cacheKey(place.cache);
  return place === "nowhere" ? undefined : place;
}

function machineOf(machine: ResolvedMachine, coresDescribed: number): FilmMachine {
  const behind = (cache: Cache | undefined) => (cache === undefined ? undefined : sizeOf(cache));
  return {
    name: machine.name,
    cores: machine.cores.map(({ id, socket }) => ({ id, socket, control: machine.initialSctlr & SCTLR_SHOWN })),
    coresDescribed,
    caches: machine.caches.map((cache) => filmCache(cache, machine)),
    outer: behind(machine.outer),
    memorySide: behind(machine.memorySide.find((cache) => cache !== undefined)),
    devices: machine.devices.map(({ name, requester, coherent }) => ({ name, requester, coherent })),
    lineBytes: machine.smallestLineBytes,
  };
}

const filmCache = (cache: Cache, machine: ResolvedMachine): FilmCache => ({
  id: cache.id,
  level: cache.level,
  holds: cache.holds,
  kind: cache.kind,
  cores: cache.cores,
  socket: cache.socket,
  setWay: cache.setWay,
  label: placeName({ cache: cache.id }, machine),
  size: sizeOf(cache),
});

const sizeOf = ({ sets, ways, lineBytes }: Cache): string =>
  `${formatBytes(sets * ways * lineBytes)}, ${ways === 1 ? "direct-mapped" : `${ways} ways`}`;

/** Calls in pieces of at most so many records; no piece spans two calls, or cuts prefixes from their record. */
function* chunksOf(calls: readonly Uint32Array[], records: number): Generator<Uint32Array, void, undefined> {
  for (const call of calls) yield* chunksIn(call, records);
}

function* chunksIn(words: Uint32Array, records: number): Generator<Uint32Array, void, undefined> {
  let from = 0;
  let held = 0;
  for (let at = 0; at < words.length; at += 2) {
    if (isPrefix(operationOf(words[at + 1] as number)) || ++held < records) continue;
    yield words.subarray(from, at + 2);
    from = at + 2;
    held = 0;
  }
  if (from < words.length) yield words.subarray(from);
}
