/**
 * A shard's findings as a file: what `replay --shard k/n` writes and `merge` joins. Versioned JSON; everything that the whole
 * result needs is in it, so the machine that merges has neither the trace nor the machine's description.
 */
import type { Hazard, Played, Provenance, SetGroupUse } from "../engine/engine.ts";
import { SetwayError, TraceError } from "../engine/errors.ts";
import type { HazardName } from "../engine/hazards.ts";
import type { ResolvedMachine } from "../machine/resolved.ts";
import { crc32 } from "../trace/crc32.ts";
import type { Findings } from "./findings.ts";
import type { Sharding } from "./plan.ts";
import { playedBy } from "./play.ts";

const FORMAT = "setway part";
const VERSION = 1;
/** Characters of a wrong file that are shown. */
const SHOWN = 24;

/** What all parts of one play have in common; whoever makes parts may add to it. */
export interface PlayFacts {
  readonly machine: ResolvedMachine;
  readonly sharding: Sharding;
  readonly carriesData: boolean;
  readonly notAssessable: readonly HazardName[];
  readonly provenance: Provenance;
  readonly records: number;
  /** CRC-32 of the words that were played. */
  readonly digest: number;
}

/** One part. `played` is absent where this shard has nothing to play: another one does all of it. */
export interface PartFile<Facts extends PlayFacts = PlayFacts, Extra = unknown> {
  readonly shard: number;
  readonly of: number;
  readonly played?: {
    readonly facts: Facts;
    readonly findings: Findings;
    /** Parts of earlier versions don't say. */
    readonly setGroups?: SetGroupUse;
    readonly seconds: number;
    readonly extra: Extra;
  };
}

/** The text of a part's file. */
export function writePart(part: PartFile): string {
  const body = JSON.stringify(part, (_, value) => (typeof value === "bigint" ? { [BIG]: value.toString(16) } : value));
  return `{"format":${JSON.stringify(FORMAT)},"version":${VERSION},"checksum":${checksum(body)},"part":${body}}\n`;
}

/** JSON has no 64-bit numbers. */
const BIG = "0x";

function checksum(body: string): number {
  return crc32(new TextEncoder().encode(body));
}

/** Throws TraceError for a file that isn't a part, isn't whole, or is of another version. */
export function readPart<Facts extends PlayFacts, Extra>(text: string, file: string): PartFile<Facts, Extra> {
  const expected = `a part that replay --shard wrote (version ${VERSION})`;
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (cause) {
    // What the parser says quotes the file as it is: a trace's bytes have no place on a terminal.
    const found = `a file that begins with ${JSON.stringify(text.slice(0, SHOWN))}`;
    throw new TraceError("not a part of a play, or not all of it", { file, found, expected, cause });
  }
  const { format, version, checksum: sum, part } = { ...(parsed as object) } as Record<string, unknown>;
  if (format !== FORMAT) throw new TraceError("not a part of a play", { file, found: describe(format), expected });
  if (version !== VERSION)
    throw new TraceError("a part of another version", { file, found: `version ${describe(version)}`, expected });
  if (sum !== checksum(JSON.stringify(part)))
    throw new TraceError("the part is damaged", { file, expected: "contents that fit its checksum" });
  return revive(part) as PartFile<Facts, Extra>;
}

const describe = (value: unknown): string => (value === undefined ? "JSON without a format" : JSON.stringify(value));

/** What JSON made of numbers of 64 bits, and of gaps in lists. */
function revive(value: unknown): unknown {
  if (value === null) return undefined;
  if (typeof value !== "object") return value;
  if (Array.isArray(value)) return value.map(revive);
  const entries = Object.entries(value);
  if (entries.length === 1 && entries[0]?.[0] === BIG) return BigInt(`0x${entries[0][1]}`);
  return Object.fromEntries(entries.map(([key, each]) => [key, revive(each)]));
}

export interface Merged<Facts extends PlayFacts, Extra> {
  readonly facts: Facts;
  readonly played: Played;
  /** Of the busiest shard. */
  readonly seconds: number;
  readonly extras: readonly Extra[];
}

export interface NamedPart<Facts extends PlayFacts, Extra> {
  readonly file: string;
  readonly part: PartFile<Facts, Extra>;
}

/** The whole of all parts. Throws SetwayError where one is missing, there twice, or of another play. */
export function mergeParts<Facts extends PlayFacts, Extra>(
  named: readonly NamedPart<Facts, Extra>[],
): Merged<Facts, Extra> {
  const inOrder = completeParts(named);
  const active = inOrder.flatMap(({ file, part }) =>
    part.played ? [{ file, shard: part.shard, ...part.played }] : [],
  );
  // A part that found out that it takes the whole machine has played everything; the others didn't hear of it.
  const [first] = [...active].sort((a, b) => a.facts.sharding.used - b.facts.sharding.used);
  if (first === undefined) throw wrong("no part has anything in it", { found: `${named.length} idle parts` });
  const { used } = first.facts.sharding;
  for (const { file, facts } of active) {
    const key = differingFact(first.facts, facts, used === 1);
    if (key === undefined) continue;
    throw wrong(`the parts are not of one play: ${key} differs from that of ${first.file}`, {
      file,
      found: shownFact(facts, key),
      expected: shownFact(first.facts, key),
    });
  }
  const counted = used === 1 ? [first] : active;
  if (counted.length !== used) {
    throw wrong("the parts are not of one play", {
      found: `${counted.length} that played`,
      expected: `${used}, as ${first.file} says`,
    });
  }
  const { machine, carriesData, notAssessable } = first.facts;
  return {
    facts: first.facts,
    played: playedBy(
      machine,
      counted.map(({ findings, setGroups }) => ({
        findings,
        carriesData,
        notAssessable,
        ...(setGroups ? { setGroups } : {}),
      })),
    ),
    seconds: Math.max(...counted.map(({ seconds }) => seconds)),
    extras: counted.map(({ extra }) => extra),
  };
}

/** The parts from 0 on, each once. */
function completeParts<P extends NamedPart<PlayFacts, unknown>>(named: readonly P[]): P[] {
  const [first] = named;
  if (first === undefined) throw wrong("nothing to merge", { expected: "the parts of a play" });
  const { of } = first.part;
  const byShard = new Map<number, P>();
  for (const each of named) {
    const { shard, of: others } = each.part;
    if (others !== of) {
      throw wrong("the parts are not of one play", {
        file: each.file,
        found: `part ${shard} of ${others}`,
        expected: `a part of ${of}, as ${first.file} is`,
      });
    }
    const twin = byShard.get(shard);
    if (twin) throw wrong(`part ${shard} of ${of} is there twice`, { file: each.file, found: `also in ${twin.file}` });
    byShard.set(shard, each);
  }
  const missing = Array.from({ length: of }, (_, shard) => shard).filter((shard) => !byShard.has(shard));
  if (missing.length > 0) {
    throw wrong("parts are missing", {
      found: `${byShard.size} of ${of}`,
      expected: `also ${missing.length === 1 ? "part" : "parts"} ${missing.slice(0, 10).join(", ")}${missing.length > 10 ? ", ..." : ""}`,
    });
  }
  return [...byShard.values()].sort((a, b) => a.part.shard - b.part.shard);
}

/** `sharding` differs where one of them played everything. */
function differingFact<Facts extends PlayFacts>(one: Facts, other: Facts, oneIsWhole: boolean): string | undefined {
  const keys = new Set([...Object.keys(one), ...Object.keys(other)]);
  if (oneIsWhole) keys.delete("sharding");
  return [...keys].find((key) => JSON.stringify(one[key as keyof Facts]) !== JSON.stringify(other[key as keyof Facts]));
}

function shownFact<Facts extends PlayFacts>(facts: Facts, key: string): string {
  if (key === "machine") return `machine ${facts.machine.name}`;
  return JSON.stringify(facts[key as keyof Facts]) ?? "nothing";
}

const wrong = (what: string, detail: ConstructorParameters<typeof SetwayError>[2]) =>
  new SetwayError("usage", what, detail);

/** Hazards of which a part must be able to say everything, for the whole's first `count` to be told: its own first ones. */
export function firstHazards(
  { hazards, fullLoops }: Findings,
  count: number,
): readonly Pick<Hazard, "record" | "newest" | "lostAt">[] {
  const cores = new Set<number>();
  // Which of a core's loops fell short first is known when dirty lines are added up: it is some part's first with any.
  const loops = fullLoops.filter(({ core, dirtyLines }) => dirtyLines > 0 && !cores.has(core) && cores.add(core));
  return [...hazards.slice(0, count), ...loops.map(({ record }) => ({ record, newest: -1, lostAt: -1 }))];
}
