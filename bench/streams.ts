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
import { GENERATED, type GeneratedStream, generate, LIKE_MC100 } from "./generate.ts";
import { RECORDED_PROGRAM, recordProgram, whyNoRecorder } from "./lackey.ts";
import { compile } from "./yardstick.ts";

const FOLDER = "build/streams";
const RECORDINGS = "../shared/traces";
const MC100_SOURCE = "../shared/yardstick/generate-mc100.c";
const SHIPPED = "traces/zimage-boot-l3.swt";

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
  recording("linux-smp96", "Linux 6.1 with 96 CPUs, a user-space workload", "accesses only"),
  recording("zimage-boot", "the boot of Debian's 32-bit kernel, with its maintenance and control writes", "everything"),
  recording("zimage-boot-accesses", "zimage-boot without anything but loads, stores and fetches", "accesses only"),
  recording("zimage-boot-l3", "zimage-boot, stripped harder: the trace that ships with the package", "everything"),
  { name: "gzip", make: makeRecorded },
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
    accesses: { path, records },
  };
};

function makeMc100(limit: number): Stream | { readonly missing: string } {
  if (!existsSync(MC100_SOURCE)) return makeGenerated(LIKE_MC100, limit);
  const generator = compile(process.env.CC ?? "cc", MC100_SOURCE, ["-O2"], ["-lm"]);
  if ("missing" in generator) return makeGenerated(LIKE_MC100, limit);
  const path = cached(`mc100-${limit}`, (fresh) => {
    const { status, stderr } = spawnSync(generator.path, [fresh, String(limit), "100"], { encoding: "utf8" });
    if (status !== 0) throw new Error(`generate-mc100 ended with ${status}: ${stderr}`);
  });
  return plain("mc100", "100 cores: working sets, shared and contended lines", path);
}

function makeGenerated(stream: GeneratedStream, limit: number): Stream {
  const path = cached(`${stream.name}-${limit}`, (fresh) => writeFileSync(fresh, generate(stream, limit)));
  return plain(stream.name, stream.about, path);
}

async function makeRecorded(limit: number): Promise<Stream | { readonly missing: string }> {
  const missing = whyNoRecorder();
  if (missing !== undefined) return { missing };
  const words = existsSync(pathOf(`gzip-${limit}`)) ? undefined : await recordProgram(limit);
  const path = cached(`gzip-${limit}`, (fresh) => writeFileSync(fresh, words as Uint32Array));
  return plain("gzip", `one core: the accesses of ${RECORDED_PROGRAM}, recorded by Valgrind's lackey`, path);
}

function recording(name: string, about: string, what: "everything" | "accesses only"): Source {
  return {
    name,
    async make(limit) {
      const file = fileOf(name.replace("-accesses", ""));
      if (file === undefined) return { missing: `${RECORDINGS}/${name}.raw64.xz isn't there` };
      const all = await read(file, limit);
      const isAccess = (high: number) => operationOf(high) <= OPERATIONS.FETCH.code;
      const path = cached(`${name}-${limit}`, (fresh) => writeFileSync(fresh, all.words));
      return plain(name, about, path);
    },
  };
}
