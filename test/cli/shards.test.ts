/** Does a replay in shards, or in parts that are merged, print what one process prints? Are parts that don't fit refused? */
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { dc, dsb, load, type RecordEntry, record, sctlr, setWayOperand, store } from "../../src/engine/record.ts";
import { KINDS_OF } from "../../src/report/kinds.ts";
import { readPart } from "../../src/shard/part-file.ts";
import { guestEntries } from "../shard/guest.ts";
import { setway } from "./capture.ts";
import { type Folder, raw64, STALE, temporaryFolder } from "./files.ts";

const BUILT = existsSync(fileURLToPath(new URL("../../dist/shard/thread.node.js", import.meta.url)));

const MACHINE = `
name: pair
cores: 2
caches:
  L1I: { size: 4KiB, ways: 2 }
  L1D: { size: 4KiB, ways: 2 }
  L2: { size: 16KiB, ways: 4, per: core }
  L3: { size: 64KiB, ways: 8, per: machine, kind: system }
memory: [{ base: 0, size: 1MiB }]
`;

/** Sharing, lost and stale data, and a full set/way loop that falls short of the point of coherency. */
function story(): RecordEntry[] {
  const out: RecordEntry[] = [];
  for (let i = 0; i < 4000; i++) {
    const address = ((i * 1000) % 0x1_0000) & ~7;
    const core = i % 2;
    out.push(i % 3 === 0 ? store(core, address) : load(core, address));
    if (i % 50 === 0) out.push(dc.ivac(core, address), dsb(core));
  }
  const levels = [
    { depth: 1, ways: 2, lineBytes: 64, sets: 32 },
    { depth: 2, ways: 4, lineBytes: 64, sets: 64 },
  ];
  for (let times = 0; times < 2; times++)
    for (const cache of levels)
      for (let way = 0; way < cache.ways; way++)
        for (let set = 0; set < cache.sets; set++) out.push(record("DC_CISW", 0, setWayOperand(cache, set, way)));
  out.push(sctlr(0, "I"));
  for (let i = 0; i < 500; i++) out.push(load(0, i * 128), store(1, i * 64), load(0, i * 64));
  return out;
}

let folder: Folder;
let machine: string;
let trace: string;
beforeAll(() => {
  folder = temporaryFolder();
  machine = folder.write("pair.yaml", MACHINE);
  trace = folder.write("story.raw64", raw64(...story()));
});
afterAll(() => folder.remove());

const COMMON = ["--hazards", "20", "--per-core", "--every", "1500", "--warmup-refs", "700"];
const replay = (path: string, ...options: readonly string[]) => setway(["replay", path, "-m", machine, ...options]);

/** Writes all parts of a play, and returns their files. */
async function parts(path: string, of: number, name: string, ...options: readonly string[]): Promise<string[]> {
  const files: string[] = [];
  for (let shard = 0; shard < of; shard++) {
    const file = folder.path(`${name}-${shard}.part`);
    const { code, stdout } = await replay(path, "--shard", `${shard}/${of}`, "--part", file, ...options);
    expect({ code, stdout }).toEqual({ code: 0, stdout: "" });
    files.push(file);
  }
  return files;
}

/** What a play found: its JSON without what depends on how it was played. */
function withoutSeconds(stdout: string): string {
  const { seconds: _, refsPerSecond: __, playOrder: ___, ...rest } = JSON.parse(stdout);
  return JSON.stringify(rest);
}

function withoutSharding(stdout: string): string {
  const { shards: _, sharding: __, ...rest } = JSON.parse(withoutSeconds(stdout));
  return JSON.stringify(rest);
}

describe.skipIf(!BUILT)("--shards (the built package; npm run build)", () => {
  it.each(["--data", "--tags-only"])(
    "prints what one kernel prints, but how many shards there were (%s)",
    async (kind) => {
      const one = await replay(trace, "--json", kind, ...COMMON);
      const three = await replay(trace, "--json", kind, ...COMMON, "--shards", "3");
      expect(three.code).toBe(0);
      expect(JSON.parse(three.stdout)).toMatchObject({ shards: 3, sharding: { asked: 3, used: 3 } });
      expect(withoutSharding(three.stdout)).toBe(withoutSharding(one.stdout));
      const { hazards, playOrder } = JSON.parse(one.stdout);
      expect(JSON.parse(three.stdout).playOrder).toEqual(playOrder);
      expect(hazards["set/way-short-of-poc"]).toBe(2);
      expect(hazards["stale-read"] ?? 1).toBeGreaterThan(0);
    },
  );

  it("makes a partial result when interrupted", async () => {
    const { code, stdout } = await setway(["replay", trace, "-m", machine, "--shards", "2", "--json"], {
      signal: AbortSignal.abort(),
    });
    expect(code).toBe(130);
    expect(JSON.parse(stdout)).toMatchObject({ partial: true, refs: 0, shards: 2 });
  });

  it("auto plays a short trace in one thread", async () => {
    const { stdout, stderr } = await replay(trace, "--json", "--shards", "auto");
    expect(JSON.parse(stdout)).toMatchObject({ shards: 1, sharding: { asked: 1, used: 1 } });
    expect(stderr).not.toContain("shards");
  });

  it("ends at a bad record as one kernel does", async () => {
    const bad = folder.write("bad.raw64", raw64(...story(), load(1, 0x4000_0000), ...story()));
    const one = await replay(bad);
    const two = await replay(bad, "--shards", "2");
    expect(two).toEqual(one);
    expect(two.code).toBe(3);
  });
});

describe("a play that can't be shared", () => {
  it.each([
    [["--engine", "reference"], /reference model/],
    [["--yardstick", "--tags-only"], /yardstick/],
  ])("is played whole, and says why (%j)", async (options, why) => {
    const short = folder.write("short.raw64", raw64(...STALE));
    const { code, stdout, stderr } = await replay(short, "--json", "--shards", "2", ...options);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ shards: 1, sharding: { asked: 2, used: 1 } });
    expect(JSON.parse(stdout).sharding.why).toMatch(why);
    expect(stderr).toMatch(/note: played in 1 of 2 shards: /);
  });

  it.each([
    ["perfetto", /time line/],
    ["callgrind", /profile/],
    ["misses", /miss stream/],
  ])("is played whole for %s, which is written as ever", async (kind, why) => {
    const files = [folder.path(`shared.${kind}`), folder.path(`whole.${kind}`)];
    const [shared, whole] = [
      await replay(trace, "--json", "--shards", "2", "-o", `${kind}:${files[0]}`),
      await replay(trace, "--json", "-o", `${kind}:${files[1]}`),
    ];
    expect(JSON.parse(shared.stdout).sharding).toEqual({ asked: 2, used: 1, why: expect.stringMatching(why) });
    expect(shared.stderr).toMatch(/note: played in 1 of 2 shards: /);
    expect([shared.code, whole.code]).toEqual([0, 0]);
    expect(readFileSync(files[0] as string)).toEqual(readFileSync(files[1] as string));
  });

  it.skipIf(!BUILT)("begins again where a walk observes an old descriptor", async () => {
    const path = folder.write("old.raw64", raw64(...guestEntries(2, 4000, "a page")));
    const two = await replay(path, "--json", "--shards", "2", "--data");
    expect(JSON.parse(two.stdout).sharding).toEqual({
      asked: 2,
      used: 1,
      why: expect.stringMatching(/^record \d+: a table walk observed an old descriptor/),
    });
    expect(withoutSharding(two.stdout)).toBe(withoutSharding((await replay(path, "--json", "--data")).stdout));
  });
});

describe("a guest with translation tables", () => {
  it.each([
    ["is shared", undefined],
    ["is played whole by a part that observes an old descriptor", "a page"],
    ["is played whole by a part that has gone wrong and faults", "nothing"],
  ] as const)("%s", async (_what, behind) => {
    const path = folder.write("guest.raw64", raw64(...guestEntries(2, 4000, behind)));
    const files = await parts(path, 3, "guest", "--data");
    const wholes = files.filter((file) => readPart(readFileSync(file, "utf8"), file).played?.facts.sharding.used === 1);
    expect(wholes.length > 0).toBe(behind !== undefined);
    const one = await replay(path, "--json", "--data");
    const merged = await setway(["merge", ...files, "--json"]);
    expect(merged).toMatchObject({ code: 0, stderr: "" });
    expect(withoutSeconds(merged.stdout)).toBe(withoutSeconds(one.stdout));
  });
});

describe("parts", () => {
  it.each(process.env.SETWAY_FULL === "1" ? [2, 5, 40] : [2, 5])(
    "of %d become what one process prints, in any order",
    async (of) => {
      const files = await parts(trace, of, `of-${of}`, ...COMMON);
      const one = await replay(trace, "--json", ...COMMON);
      const merged = await setway(["merge", ...files.reverse(), "--json"]);
      expect(merged).toMatchObject({ code: 0, stderr: "" });
      expect(withoutSeconds(merged.stdout)).toBe(withoutSeconds(one.stdout));
    },
  );

  it("become every kind of report that needs no look at the play itself", async () => {
    const files = await parts(trace, 2, "kinds", ...COMMON);
    const outputs = (name: string) =>
      KINDS_OF.merge.flatMap((kind) => ["-o", `${kind}:${folder.path(`${name}.${kind}`)}`]);
    expect(await setway(["merge", ...files, ...outputs("merged")])).toMatchObject({ code: 0, stderr: "" });
    await replay(trace, ...outputs("one"), ...COMMON);
    const [merged, one] = ["merged", "one"].map((name) => readFileSync(folder.path(`${name}.svg`), "utf8"));
    expect(merged).toBe(one);
    for (const kind of KINDS_OF.merge) {
      expect(readFileSync(folder.path(`merged.${kind}`)).length, kind).toBeGreaterThan(100);
    }
  });

  it.each(["--misses", "-o"])("can't be asked for what follows one kernel (%s)", async (option) => {
    const path = folder.path("never.swt");
    const { code, stderr } = await replay(trace, "--shard", "0/2", option, option === "-o" ? `misses:${path}` : path);
    expect(code).toBe(2);
    expect(stderr).toMatch(/'--shard <k\/n>' cannot be used with option '(--misses|-o, --output)/);
    expect(existsSync(path)).toBe(false);
  });

  it("are refused a place that can't be written before anything is played", async () => {
    const { code, stderr } = await replay(
      folder.path("missing.raw64"),
      "--shard",
      "0/2",
      "--part",
      folder.path("no/0.part"),
    );
    expect(code).toBe(2);
    expect(stderr).toContain("there is no folder");
  });

  it("go to standard output without a file", async () => {
    const { stdout } = await replay(trace, "--shard", "0/1");
    const merged = await setway(["merge", folder.write("only.part", stdout), "--json"]);
    expect(withoutSeconds(merged.stdout)).toBe(withoutSeconds((await replay(trace, "--json")).stdout));
  });

  it("are held to expectations when they are merged", async () => {
    const stale = folder.write("stale.raw64", raw64(...STALE));
    const { code, stderr } = await setway(["merge", ...(await parts(stale, 2, "stale")), "--expect-clean"]);
    expect(code).toBe(1);
    expect(stderr).toContain("1 stale or leaked observations");
  });

  it("write nothing when interrupted", async () => {
    const file = folder.path("interrupted.part");
    const { code, stderr } = await setway(["replay", trace, "-m", machine, "--shard", "0/2", "--part", file], {
      signal: AbortSignal.abort(),
    });
    expect({ code, stderr }).toEqual({ code: 130, stderr: "interrupted: nothing was written\n" });
    expect(existsSync(file)).toBe(false);
  });
});

describe("parts that don't fit", () => {
  let good: string[];
  beforeAll(async () => {
    good = await parts(trace, 3, "good");
  });
  const refusal = async (...files: readonly string[]) => {
    const { code, stdout, stderr } = await setway(["merge", ...files, "--json"]);
    expect(stdout).toBe("");
    return { code, stderr };
  };

  it("are missing", async () => {
    expect(await refusal(good[0] as string, good[2] as string)).toEqual({
      code: 2,
      stderr: "error: parts are missing; found 2 of 3; expected also part 1\n",
    });
  });

  it("are there twice", async () => {
    const { code, stderr } = await refusal(...good, good[1] as string);
    expect(code).toBe(2);
    expect(stderr).toMatch(/good-1\.part: part 1 of 3 is there twice; found also in .*good-1\.part/);
  });

  it("are of another number of parts", async () => {
    const [other] = await parts(trace, 2, "two");
    const { code, stderr } = await refusal(...good, other as string);
    expect(code).toBe(2);
    expect(stderr).toMatch(/not of one play; found part 0 of 2; expected a part of 3/);
  });

  it.each([
    ["another trace", () => parts(folder.write("s.raw64", raw64(...STALE)), 3, "other"), /records differs/],
    ["another machine", () => otherMachine(), /machine differs.*found machine other/],
    ["other options", () => parts(trace, 3, "options", "--hazards", "7"), /explained differs/],
    ["other caches at the start", () => parts(trace, 3, "caches", "--caches", "off"), /machine differs/],
  ])("are of %s", async (_name, make, message) => {
    const files = await make();
    const { code, stderr } = await refusal(good[0] as string, files[1] as string, good[2] as string);
    expect(code).toBe(2);
    expect(stderr).toMatch(message);
  });

  async function otherMachine(): Promise<string[]> {
    const file = folder.write("other.yaml", MACHINE.replace("pair", "other"));
    const part = folder.path("machine-1.part");
    await setway(["replay", trace, "-m", file, "--shard", "1/3", "--part", part]);
    return ["", part];
  }

  it.each([
    ["cut short", (text: string) => text.slice(0, text.length / 2), /not a part of a play, or not all of it/],
    ["damaged", (text: string) => text.replace(/"loads":(\d)/, '"loads":9$1'), /the part is damaged/],
    [
      "of another version",
      (text: string) => text.replace('"version":1', '"version":2'),
      /another version; found version 2/,
    ],
    ["something else", () => '{"refs": 3}', /not a part of a play; found JSON without a format/],
    [
      "a trace",
      () => "\u0089SWT\r\n\u001a\n",
      /not all of it; found a file that begins with "[^\n]*SWT\\r\\n\\u001a\\n"/,
    ],
  ])("are %s", async (_name, change, message) => {
    const bad = folder.write("bad.part", change(readFileSync(good[1] as string, "utf8")));
    const { code, stderr } = await refusal(good[0] as string, bad, good[2] as string);
    expect(code).toBe(3);
    expect(stderr).toMatch(message);
  });

  it("can't be read", async () => {
    expect(await refusal(folder.path("nowhere.part"))).toMatchObject({ code: 3 });
  });
});

describe("usage", () => {
  it.each([
    [["--shard", "3/3"], /Parts of 3 are counted from 0 to 2/],
    [["--shard", "one"], /Expected k\/n/],
    [["--shards", "0"], /Expected auto/],
    [["--shard", "0/2", "--shards", "2"], /cannot be used with/],
    [["--shard", "0/2", "--json"], /cannot be used with/],
    [["--part", "x"], /--part goes with --shard/],
    [["--shard", "0/2", "--engine", "reference"], /reference model has no shards/],
  ])("%j is refused", async (options, message) => {
    const { code, stderr } = await replay(trace, ...options);
    expect(code).toBe(2);
    expect(stderr).toMatch(message);
  });
});
