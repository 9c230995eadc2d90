/**
 * Cache configurations of DynamoRIO's drcachesim (`-config_file`): words, numbers and `NAME { key value ... }`, where every
 * cache names its parent.
 */
import { MachineError } from "../../engine/errors.ts";
import { nearestWord } from "../nearest.ts";
import type { Found, FoundCache, FoundCpu } from "./found.ts";

const MAX_CORES = 512;
const MAX_CACHES = 10_000;

/** Settings of the simulation, which say nothing of the machine. */
const SIMULATION_KEYS = [
  "skip_refs",
  "warmup_refs",
  "warmup_fraction",
  "sim_refs",
  "cpu_scheduling",
  "verbose",
  "coherence",
  "use_physical",
  "page_size",
];
const CACHE_KEYS = [
  "type",
  "core",
  "size",
  "assoc",
  "inclusive",
  "exclusive",
  "parent",
  "replace_policy",
  "prefetcher",
  "miss_file",
];

export const isDrcachesim = (text: string): boolean => {
  const plain = text.slice(0, 65_536).replace(/\/\/[^\n]*/g, "");
  return (
    /(^|\s)num_cores\s+[0-9]/.test(plain) ||
    /(^|\s)\w+\s*\{\s*(type|core|size|assoc|parent|inclusive|replace_policy)\s/.test(plain)
  );
};

interface Token {
  readonly word: string;
  readonly line: number;
}

interface Entry {
  readonly name: string;
  readonly line: number;
  readonly keys: ReadonlyMap<string, Token>;
}

type Refusal = (token: Token, what: string, expected: string, words?: readonly string[]) => never;

/** Throws with a token's place in the file. */
const refusalIn =
  (file: string): Refusal =>
  (token, what, expected, words) => {
    throw new MachineError(what, {
      file,
      line: token.line,
      found: token.word.slice(0, 60),
      expected,
      nearest: words === undefined ? undefined : nearestWord(token.word, words),
    });
  };

export function machineOfDrcachesim(file: string, text: string): Found {
  const { settings, entries } = readConfig(file, text);
  const fail: Refusal = refusalIn(file);
  const assumed: string[] = [];
  const left = new Set<string>();
  const lineToken = settings.get("line_size");
  const lineBytes = lineToken === undefined ? 64 : wholeNumber(lineToken, fail);
  if (lineToken === undefined) assumed.push("lines of 64 bytes, drcachesim's default");

  const caches = new Map<string, FoundCache>();
  const coresOf = new Map<string, { core: number; type: string }>();
  const parents = new Map<string, string>();
  for (const { name, line, keys } of entries.values()) {
    const core = keys.get("core");
    const type = keys.get("type")?.word ?? "unified";
    if (!["instruction", "data", "unified"].includes(type)) {
      fail(keys.get("type")!, "no such type of cache", "instruction, data or unified", [
        "instruction",
        "data",
        "unified",
      ]);
    }
    if (core !== undefined && core.word !== "-1") {
      const number = wholeNumber(core, fail);
      if (number >= MAX_CORES) fail(core, "too many cores", `less than ${MAX_CORES}`);
      coresOf.set(name, { core: number, type });
    }
    const parent = keys.get("parent");
    if (parent !== undefined && parent.word !== "memory") {
      if (!entries.has(parent.word))
        fail(parent, "a parent that isn't there", "a cache, or memory", [...entries.keys(), "memory"]);
      parents.set(name, parent.word);
    }
    const prefetcher = keys.get("prefetcher")?.word;
    if (prefetcher !== undefined && prefetcher !== "none") left.add(`the prefetcher ${prefetcher}`);
    const size = keys.get("size");
    const assoc = keys.get("assoc");
    const sizeBytes = size === undefined ? undefined : bytesOf(size, fail);
    const ways = assoc === undefined ? undefined : wholeNumber(assoc, fail);
    if (sizeBytes === undefined) fail({ word: name, line }, "a cache without a size", "size");
    caches.set(name, {
      id: name,
      label: name,
      sizeBytes,
      // 0 means fully associative.
      ways: ways === 0 ? sizeBytes! / lineBytes : ways,
      lineBytes,
      inclusion: isTrue(keys.get("inclusive")) ? "inclusive" : isTrue(keys.get("exclusive")) ? "exclusive" : "nine",
      replacement: replacementOf(keys.get("replace_policy"), assumed, fail),
    });
  }
  const said = settings.get("num_cores");
  const highest = Math.max(-1, ...[...coresOf.values()].map(({ core }) => core));
  const count = said === undefined ? highest + 1 : wholeNumber(said, fail);
  if (count < 1 || count > MAX_CORES)
    fail(said ?? { word: `${count}`, line: 1 }, "no number of cores", `1 to ${MAX_CORES}`);
  const first = new Map<string, string>();
  for (const [name, { core, type }] of coresOf) {
    const entry = entries.get(name)!;
    if (core >= count)
      fail({ word: `${core}`, line: entry.line }, "a cache of a core that isn't there", `less than ${count}`);
    for (const side of type === "unified" ? ["instruction", "data"] : [type]) {
      const key = `${core} ${side}`;
      if (first.has(key)) fail({ word: name, line: entry.line }, `a second ${side} cache of one core`, "one");
      first.set(key, name);
    }
  }
  const cpus = Array.from({ length: count }, (_, core): FoundCpu => {
    const [l1i, l1d] = [first.get(`${core} instruction`), first.get(`${core} data`)];
    if (l1i === undefined || l1d === undefined) {
      throw new MachineError("a core without caches of its own", {
        file,
        found: `core ${core}`,
        expected: "an instruction and a data cache, or a unified one",
      });
    }
    if (l1i === l1d) {
      const sentence = "an L1 for instructions and data together is described as one of each";
      if (!assumed.includes(sentence)) assumed.push(sentence);
    }
    return {
      name: `core ${core}`,
      l1i: l1i === l1d ? { ...caches.get(l1i)!, id: `${l1i}/i` } : caches.get(l1i),
      l1d: caches.get(l1d),
      unified: outwards(file, l1d, parents).map((name) => caches.get(name)!),
    };
  });
  for (const core of cpus.keys()) {
    const [l1i, l1d] = [first.get(`${core} instruction`)!, first.get(`${core} data`)!];
    if (parents.get(l1i) !== parents.get(l1d))
      left.add("where instruction caches lead, which differs from the data caches' way");
  }
  return { format: "drcachesim configuration", files: [file], cpus, memory: [], devices: [], assumed, left: [...left] };
}

type Fail = (token: Token, what: string, expected: string, words?: readonly string[]) => never;

/** The unified caches around a cache, L2 first. */
function outwards(file: string, name: string, parents: ReadonlyMap<string, string>): string[] {
  const chain: string[] = [];
  for (let parent = parents.get(name); parent !== undefined; parent = parents.get(parent)) {
    if (chain.includes(parent) || chain.length > 16) {
      throw new MachineError("parents go round in a circle", {
        file,
        found: parent.slice(0, 60),
        expected: "a way to memory",
      });
    }
    chain.push(parent);
  }
  return chain;
}

function readConfig(file: string, text: string): { settings: Map<string, Token>; entries: Map<string, Entry> } {
  const tokens: Token[] = [];
  for (const [index, content] of text.split("\n").entries()) {
    for (const word of content.replace(/(^|\s)\/\/.*$/, "").split(/\s+/)) {
      if (word !== "") tokens.push({ word, line: index + 1 });
    }
  }
  const settings = new Map<string, Token>();
  const entries = new Map<string, Entry>();
  const end: Token = { word: "the end of the text", line: text.split("\n").length };
  const fail: Refusal = refusalIn(file);
  let at = 0;
  const next = (): Token => tokens[at++] ?? end;
  while (at < tokens.length) {
    const name = next();
    if (name.word === "num_cores" || name.word === "line_size" || SIMULATION_KEYS.includes(name.word)) {
      const value = next();
      if (value === end) fail(value, `${name.word} without a value`, "a value");
      settings.set(name.word, value);
      continue;
    }
    const brace = next();
    if (brace.word !== "{")
      fail(name, "no such setting", "a setting, or a cache's name and `{`", [
        "num_cores",
        "line_size",
        ...SIMULATION_KEYS,
      ]);
    const keys = new Map<string, Token>();
    for (;;) {
      const key = next();
      if (key === end) fail(key, "a cache doesn't end", "`}`");
      if (key.word === "}") break;
      if (!CACHE_KEYS.includes(key.word))
        fail(key, "no such key of a cache", `one of ${CACHE_KEYS.join(", ")}`, CACHE_KEYS);
      const value = next();
      if (value === end || value.word === "}") fail(value, `${key.word} without a value`, "a value");
      keys.set(key.word, value);
    }
    entries.set(name.word, { name: name.word, line: name.line, keys });
    if (entries.size > MAX_CACHES) fail(name, "too many caches", `${MAX_CACHES} at most`);
  }
  return { settings, entries };
}

function wholeNumber(token: Token, fail: Fail): number {
  if (!/^[0-9]{1,9}$/.test(token.word)) fail(token, "not a whole number", "a whole number");
  return Number(token.word);
}

function bytesOf(token: Token, fail: Fail): number {
  const [, digits, unit = ""] = /^([0-9]{1,12})([KMGkmg]?)$/.exec(token.word) ?? [];
  if (digits === undefined || Number(digits) === 0) fail(token, "not a size", "bytes, or a number with K, M or G");
  return Number(digits) * ({ "": 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30 }[unit.toLowerCase()] ?? 1);
}

const isTrue = (token: Token | undefined): boolean => token !== undefined && /^(true|on|yes|1)$/i.test(token.word);

const POLICIES: ReadonlyMap<string, NonNullable<FoundCache["replacement"]>> = new Map([
  ["LRU", "lru"],
  ["FIFO", "fifo"],
  ["RRIP", "srrip"],
  ["BIT_PLRU", "tree-plru"],
]);

function replacementOf(token: Token | undefined, assumed: string[], fail: Fail): FoundCache["replacement"] {
  const policy = token?.word ?? "LRU";
  const known = POLICIES.get(policy);
  if (known !== undefined) {
    if (policy === "BIT_PLRU") assumeOnce(assumed, "BIT_PLRU is described as tree-plru");
    return known;
  }
  if (policy !== "LFU")
    fail(token!, "no such policy", "LRU, LFU, FIFO, BIT_PLRU or RRIP", ["LRU", "LFU", "FIFO", "BIT_PLRU", "RRIP"]);
  assumeOnce(assumed, "LFU is described as lru");
  return "lru";
}

function assumeOnce(assumed: string[], sentence: string): void {
  if (!assumed.includes(sentence)) assumed.push(sentence);
}
