/** Does the story API say what is wrong with a definition, and does a play keep its promises: switches, checks, steps, memory? */
import { describe, expect, it } from "vitest";
import { loadDescription } from "../../src/machine/index.ts";
import { runStory, type StoryOptions } from "../../src/scenario/run-story.ts";
import { defineStory, type StoryDefinition, unmetHazards } from "../../src/scenario/story.ts";
import type { World } from "../../src/scenario/world.ts";

const minimal = {
  name: "a-story",
  title: "a title",
  source: "a source",
  fixes: { on: "a switch" },
  expect: () => [],
  play: () => {},
} satisfies StoryDefinition<"on">;

const play = (change: Partial<StoryDefinition<string>>, options: Partial<StoryOptions> = {}) =>
  runStory(defineStory<string>({ ...minimal, ...change }), { machine: loadDescription("rpi4"), ...options });

describe("a definition", () => {
  it.each([
    [{ name: "A Story" }, /bad name/],
    [{ title: "" }, /no title/],
    [{ source: "" }, /no source/],
    [{ defaults: ["onn"] }, /unknown fix in defaults; found onn; expected on; did you mean on\?/],
    [{ variants: [["of"]] }, /unknown fix in variants/],
    [{ needs: ["two core"] }, /did you mean two cores\?/],
    [{ eras: ["4.2"] }, /did you mean 4.1\?/],
    [{ eras: [] }, /no era/],
    [{ play: undefined }, /no play/],
    [{ era: "modern" }, /unknown field; found era;.*did you mean eras\?/],
  ])("%j is refused", (change, message) => {
    expect(() => defineStory({ ...minimal, ...change } as never)).toThrow(message);
  });

  it("has its defaults, nothing, and each fix alone as variants", () => {
    const story = defineStory({ ...minimal, fixes: { a: "one", b: "two" }, defaults: ["a", "b"] });
    expect(story.variants).toEqual([["a", "b"], [], ["a"], ["b"]]);
  });
});

describe("expectations", () => {
  it("are exact for what was seen and lost, and ask only for latent hazards that they name", () => {
    expect(unmetHazards({ must: ["stale-read"], may: [] }, new Set(["stale-read", "mismatched-attributes"]))).toEqual(
      [],
    );
    expect(unmetHazards({ must: [], may: ["lost-write"] }, new Set(["lost-write"]))).toEqual([]);
    expect(unmetHazards({ must: [], may: [] }, new Set(["stale-dma"]))).toEqual([
      "stale-dma happened, which wasn't expected",
    ]);
    expect(unmetHazards({ must: ["set/way-migrated"], may: [] }, new Set())).toEqual([
      "expected set/way-migrated, which didn't happen",
    ]);
  });
});

describe("a play", () => {
  it("refuses hazards and changes of the machine that there are not", async () => {
    await expect(play({ expect: () => ["stale-raed"] as never })).rejects.toThrow(/did you mean stale-read\?/);
    await expect(play({ changes: () => ({ feature: {} }) as never })).rejects.toThrow(/did you mean features\?/);
    await expect(play({ play: (world) => void world.allocate(Number.NaN) })).rejects.toThrow(/found NaN/);
  });

  it("finds results that are wrong, which its expectations name like hazards", async () => {
    const wrong = { play: (world: World) => void world.result("it got", 41n, 42n) };
    const unexpected = await play(wrong);
    expect(unexpected).toMatchObject({ wrongResults: 1, unmet: ["wrong-result happened, which wasn't expected"] });
    expect(await play({ ...wrong, expect: () => ["wrong-result"] })).toMatchObject({ wrongResults: 1, unmet: [] });
    const right = await play({
      play: (world) => void world.result("it got", 42n, 42n),
      expect: () => ["wrong-result"],
    });
    expect(right).toMatchObject({ wrongResults: 0, unmet: ["expected wrong-result, which didn't happen"] });
  });

  it("calls what a page's last owner left a leak once the page was given away", async () => {
    const found = async (given: boolean) => {
      const result = await play({
        play: (world) => {
          const [cpu, page] = [world.core(0), world.allocate(4096)];
          cpu.store(page, 1);
          cpu.maintain("DC_CIVAC", page, 8);
          cpu.store(page, 0);
          if (given) world.giveAway(page);
          cpu.sctlr({ m: false, c: false, i: false });
          cpu.load(page);
        },
      });
      return result.skipped === undefined && result.hazards[0]?.class;
    };
    expect([await found(false), await found(true)]).toEqual(["stale-read", "leak"]);
  });

  it("knows its switches, in the story's order", async () => {
    const seen: boolean[] = [];
    const result = await play({ play: (world) => void seen.push(world.has("on")) }, { fixes: ["on"] });
    expect(seen).toEqual([true]);
    expect(result.fixes).toEqual(["on"]);
    await expect(play({}, { fixes: ["onn"] })).rejects.toThrow(
      /no such fix; found onn; expected on; did you mean on\?/,
    );
    await expect(play({ play: (world) => void world.has("of") })).rejects.toThrow(/asks for a fix/);
  });

  it("fails where a check fails", async () => {
    const result = await play({ play: (world) => void world.check("the answer", 41n, 42n) });
    expect(result.skipped === undefined && result.unmet).toEqual(["the answer: found 0x29, expected 0x2a"]);
  });

  it("tells in which step a story fell over", async () => {
    const broken = play({
      play: (world) => {
        world.step("look into the void");
        (undefined as unknown as { look(): void }).look();
      },
    });
    await expect(broken).rejects.toThrow(/failed in step "look into the void"; found Cannot read.*story\.test\.ts/);
  });

  it("cuts its records into steps", async () => {
    const result = await play(
      {
        play: (world) => {
          const at = world.allocate(4096);
          world.core(0).store(at, 1n);
          world.step("one");
          world.core(0).load(at);
          world.core(0).load(at);
          world.step("nothing");
          world.step("two");
          world.core(0).dsb();
        },
      },
      { trace: true },
    );
    if (result.skipped !== undefined) throw new Error(result.skipped);
    expect(result.steps.map(({ text, first, end }) => [text, first, end])).toEqual([
      ["", 0, 1],
      ["one", 1, 3],
      ["nothing", 3, 3],
      ["two", 3, 4],
    ]);
    expect(result.steps[1]?.after?.lines).toMatchObject([{ copies: [{ state: "M" }, {}], memoryIsNewest: false }]);
    expect(result.recordAt(0)).toMatchObject({ value: 1n });
    expect(result.recordAt(9)).toBeUndefined();
  });

  it("allocates every page once, near its socket", async () => {
    const pages: number[] = [];
    await runStory(
      defineStory({
        ...minimal,
        play: (world) => {
          for (let page = 0; page < 20; page++) pages.push(world.allocate(page * 1000 + 1, { socket: page % 2 }));
        },
      }),
      { machine: loadDescription("altra-2s") },
    );
    expect(new Set(pages).size).toBe(20);
    const { memory } = loadDescription("altra-2s").machine;
    pages.forEach((page, index) => {
      const home = memory.find(({ base, sizeBytes }) => page >= base && page < base + sizeBytes);
      expect(home?.socket).toBe(index % 2);
    });
  });

  it("has the devices and the hardware that the story asks for", async () => {
    const result = await play(
      {
        devices: [
          { name: "dma", coherent: true },
          { name: "nic", coherent: false, smmu: true },
        ],
        changes: (has) => (has("on") ? { features: { idc: true }, ncSnoops: true } : {}),
        play: (world) => {
          world.check("changed", world.device("dma").coherent, true);
          world.check("added", world.device("nic").coherent, false);
          world.check("overridden", world.device("nic").throughSmmu().coherent, true);
          world.check("idc", world.machine.idc, world.has("on"));
          world.check("self-snooping", world.machine.ncSnoops, world.has("on"));
        },
      },
      { fixes: ["on"] },
    );
    expect(result.skipped === undefined && result.unmet).toEqual([]);
  });

  it("starts as told", async () => {
    const values: bigint[] = [];
    await play({ starts: "reset", play: (world) => void values.push(world.core(3).mrs("SCTLR_EL1")) });
    await play({ play: (world) => void values.push(world.core(3).mrs("SCTLR_EL1")) });
    expect(values).toEqual([0n, 0x1005n]);
  });

  it("is skipped where the machine lacks something, and where a recording isn't there", async () => {
    expect(await play({ needs: ["outer cache"] })).toMatchObject({ skipped: "rpi4 has no outer cache (PL310)" });
    expect(await play({ eras: ["fwb"] })).toMatchObject({ skipped: "rpi4 has no FEAT_S2FWB" });
    expect(await play({ traces: ["nowhere"] })).toMatchObject({ skipped: "the recording nowhere isn't here" });
  });

  it("uses cores that were left out, if it asks for them", async () => {
    const asked: number[] = [];
    const options = { machine: loadDescription("altra-2s"), leaveOutIdle: true } as const;
    await runStory(defineStory({ ...minimal, play: (world) => void asked.push(world.core(150).core) }), options);
    expect(asked).toEqual([150]);
    const beyond = runStory(defineStory({ ...minimal, play: (world) => void world.core(160) }), options);
    await expect(beyond).rejects.toThrow(/no such core; found core 160; expected 0 to 159/);
  });

  it("has no hypervisor on bare metal", async () => {
    await expect(play({ play: (world) => void world.hypervisor() })).rejects.toThrow(/is played on bare metal/);
  });
});
