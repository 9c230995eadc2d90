/**
 * The streams that the bench plays, and how each comes to be: recordings of real guests, a real program, generated ones.
 * They are kept as bare records in build/streams, so that every contestant reads the same bytes.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import type { Provenance } from "../src/engine/engine.ts";
import { OPERATIONS } from "../src/engine/operations.ts";
import { operationOf } from "../src/trace/entry.ts";
import { openTraceFile } from "../src/trace/open.node.ts";
import { RAW_PROVENANCE, TEXT_PROVENANCE } from "../src/trace/source.ts";
import { onManyCores } from "./crowd.ts";
import { GENERATED, type GeneratedStream, generate, LIKE_MC100 } from "./generate.ts";
import { RECORDED_PROGRAMS, type RecordedProgram, recordProgram, whyNoRecorder } from "./lackey.ts";
import { virtualized } from "./virtual.ts";
import { compile } from "./yardstick.ts";

const FOLDER = "build/streams";
const RECORDINGS = "../shared/traces";
const MC100_CORES = 100;
const MC100_SOURCE = "../shared/yardstick/generate-mc100.c";

export interface Stream {
  readonly name: string;
  readonly about: string;
  /** A file of bare records: two 32-bit words each, low word first. */
  readonly path: string;
  readonly records: number;
  /** What the kernel is told: hazards are looked for only where the stream recorded enough. */
  readonly provenance: Provenance;
  /** SCTLR_EL1 before the first record; the machine's own if undefined. */
  readonly initialSctlr: number | undefined;
  /** Whether its addresses are virtual: kernels have to carry data then, and nobody else can play it. */
  readonly translates: boolean;
  /**
   * What those play who know nothing but loads, stores and fetches: the same file, or one without the other records, and
   * then they play something easier.
   */
  readonly accesses: { readonly path: string; readonly records: number };
}

/** A stream that may not be there: `make` gives the reason then. */
export interface Source {
  readonly name: string;
  make(limit: number): Promise<Stream | { readonly missing: string }>;
}

export const SOURCES: readonly Source[] = [
  { name: "mc100", make: async (limit) => makeMc100(limit) },
  { name: "mc100-va", make: async (limit) => makeVirtual("mc100-va", 1, limit) },
  { name: "mc100-guest", make: async (limit) => makeVirtual("mc100-guest", 2, limit) },
  { name: "linux-smp96", make: makeLinux },
  { name: "zimage-boot", make: (limit) => makeBoot("zimage-boot", limit) },
  { name: "zimage-boot-l3", make: (limit) => makeBoot("zimage-boot-l3", limit) },
  { name: "zimage-accesses", make: makeBootAccesses },
  ...RECORDED_PROGRAMS.map((program) => ({
    name: program.name,
    make: (limit: number) => makeRecorded(program, limit),
  })),
  ...RECORDED_PROGRAMS.map((program) => ({
    name: `${program.name}-100`,
    make: (limit: number) => makeCrowd(program, limit),
  })),
  ...GENERATED.map((stream) => ({ name: stream.name, make: async (limit: number) => makeGenerated(stream, limit) })),
];

/** Reads a file of bare records. */
export function readWords(path: string): Uint32Array {
  const bytes = readFileSync(path);
  return new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
}

/** A stream of loads, stores and fetches alone, which finds no hazards. */
const plain = (name: string, about: string, path: string): Stream => {
  const records = statSync(path).size / 8;
  return {
    name,
    about,
    path,
    records,
    provenance: TEXT_PROVENANCE,
    initialSctlr: undefined,
    translates: false,
    accesses: { path, records },
  };
};

function makeMc100(limit: number): Stream | { readonly missing: string } {
  if (!existsSync(MC100_SOURCE)) return makeGenerated(LIKE_MC100, limit);
  const generator = compile(process.env.CC ?? "cc", MC100_SOURCE, ["-O2"], ["-lm"]);
  if ("missing" in generator) return makeGenerated(LIKE_MC100, limit);
  const path = cached(`mc100-${limit}`, (fresh) => {
    const { status, stderr } = spawnSync(generator.path, [fresh, String(limit), String(MC100_CORES)], {
      encoding: "utf8",
    });
    if (status !== 0) throw new Error(`generate-mc100 ended with ${status}: ${stderr}`);
  });
  return plain("mc100", "100 cores: working sets, shared and contended lines", path);
}

/** mc100's addresses as virtual ones; the records that write the tables are in it, which are few. */
function makeVirtual(name: string, stages: 1 | 2, limit: number): Stream | { readonly missing: string } {
  const physical = makeMc100(limit);
  if ("missing" in physical) return physical;
  const path = cached(`${name}-${limit}`, (fresh) =>
    writeFileSync(fresh, virtualized(readWords(physical.path), MC100_CORES, stages)),
  );
  const about = stages === 1 ? "by tables of 4 KiB pages" : "by tables of 4 KiB pages at both stages";
  return { ...plain(name, `${physical.name} with virtual addresses, translated ${about}`, path), translates: true };
}

function makeGenerated(stream: GeneratedStream, limit: number): Stream {
  const path = cached(`${stream.name}-${limit}`, (fresh) => writeFileSync(fresh, generate(stream, limit)));
  return plain(stream.name, stream.about, path);
}

async function makeRecorded(program: RecordedProgram, limit: number): Promise<Stream | { readonly missing: string }> {
  const { name, shown } = program;
  const missing = whyNoRecorder(program);
  if (missing !== undefined) return { missing };
  const words = existsSync(pathOf(`${name}-${limit}`)) ? undefined : await recordProgram(program, limit);
  const path = cached(`${name}-${limit}`, (fresh) => writeFileSync(fresh, words as Uint32Array));
  return plain(name, `one core: the accesses of ${shown}, recorded by Valgrind's lackey`, path);
}

async function makeCrowd(program: RecordedProgram, limit: number): Promise<Stream | { readonly missing: string }> {
  const alone = await makeRecorded(program, limit);
  if ("missing" in alone) return alone;
  const name = `${program.name}-100`;
  const path = cached(`${name}-${limit}`, (fresh) =>
    writeFileSync(fresh, onManyCores(readWords(alone.path), MC100_CORES)),
  );
  return plain(name, `${program.name} on each of 100 cores, which take turns; data are each one's own`, path);
}

async function makeLinux(limit: number): Promise<Stream | { readonly missing: string }> {
  const file = fileOf("linux-smp96");
  if (file === undefined) return { missing: `${RECORDINGS}/linux-smp96.raw64.xz isn't there` };
  const path = await cachedTrace("linux-smp96", file, limit);
  return plain("linux-smp96", "Linux 6.1 with 96 CPUs: a user-space workload, stripped of repeated hits", path);
}

/** The whole boot: maintenance and control writes too, and the first part with caches off. */
async function makeBoot(name: string, limit: number): Promise<Stream | { readonly missing: string }> {
  const file = fileOf(name);
  if (file === undefined) return { missing: `${RECORDINGS}/${name}.raw64.xz isn't there` };
  const path = await cachedTrace(name, file, limit);
  return {
    name,
    about: `the boot of Debian's 32-bit kernel, stripped of repeated hits (${name === "zimage-boot" ? "128" : "4096"} sets)`,
    path,
    records: statSync(path).size / 8,
    provenance: RAW_PROVENANCE,
    initialSctlr: 0,
    translates: false,
    accesses: describeAccesses(name, path, limit),
  };
}

async function makeBootAccesses(limit: number): Promise<Stream | { readonly missing: string }> {
  const name = fileOf("zimage-boot") === undefined ? "zimage-boot-l3" : "zimage-boot";
  const boot = await makeBoot(name, limit);
  if ("missing" in boot) return boot;
  return plain("zimage-accesses", `${name} without anything but loads, stores and fetches`, boot.accesses.path);
}

function describeAccesses(name: string, path: string, limit: number): Stream["accesses"] {
  const accesses = cached(`${name}-accesses-${limit}`, (fresh) => writeFileSync(fresh, accessesOf(readWords(path))));
  return { path: accesses, records: statSync(accesses).size / 8 };
}

function accessesOf(words: Uint32Array): Uint32Array {
  const kept = new Uint32Array(words.length);
  let length = 0;
  for (let i = 0; i < words.length; i += 2) {
    if (operationOf(words[i + 1] as number) > OPERATIONS.FETCH.code) continue;
    kept[length++] = words[i] as number;
    kept[length++] = words[i + 1] as number;
  }
  return kept.subarray(0, length);
}

function fileOf(name: string): string | undefined {
  return [`${RECORDINGS}/${name}.raw64.xz`, `traces/${name}.swt`].find((path) => existsSync(path));
}

/** The first `limit` records of a trace; none of those here has prefixes. */
async function cachedTrace(name: string, file: string, limit: number): Promise<string> {
  const key = `${name}-${limit}`;
  const words = existsSync(pathOf(key)) ? undefined : await firstWords(file, limit);
  return cached(key, (fresh) => writeFileSync(fresh, words as Uint32Array));
}

/** The first `limit` records of a trace that has no prefixes. */
async function firstWords(file: string, limit: number): Promise<Uint32Array> {
  const trace = await openTraceFile(file);
  let words = new Uint32Array(2 * Math.min(limit, trace.header.records ?? 1 << 20));
  let length = 0;
  for await (const batch of trace.batches()) {
    const part = batch.subarray(0, 2 * limit - length);
    if (length + part.length > words.length) {
      const larger = new Uint32Array(Math.min(2 * limit, 2 * words.length + part.length));
      larger.set(words);
      words = larger;
    }
    words.set(part, length);
    length += part.length;
    if (length === 2 * limit) break;
  }
  return words.subarray(0, length);
}

const pathOf = (key: string): string => `${FOLDER}/${key}.raw64`;

/** The file of that name, made if it isn't there; an interrupted `make` leaves no half of it. */
function cached(key: string, make: (fresh: string) => void): string {
  const path = pathOf(key);
  if (existsSync(path)) return path;
  mkdirSync(FOLDER, { recursive: true });
  const fresh = `${path}.${process.pid}`;
  make(fresh);
  renameSync(fresh, path);
  return path;
}
