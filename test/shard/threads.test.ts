/** Do shards in threads find what one kernel finds, and do their failures come out as errors instead of waits? */
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, it } from "vitest";
import type { Engine } from "../../src/engine/engine.ts";
import { RecordError } from "../../src/engine/errors.ts";
import { createKernel, type Kernel } from "../../src/engine/kernel.ts";
import { dc, encodeRecords, load, type RecordEntry, store } from "../../src/engine/record.ts";
import { WholeMachineNeeded } from "../../src/engine/share.ts";
import { loadMachine } from "../../src/machine/index.ts";
import type { PartSetup } from "../../src/shard/part.ts";
import { planShards } from "../../src/shard/plan.ts";
import { type ShardedOptions, ShardedPlay } from "../../src/shard/play.ts";
import { ShardError, type Team } from "../../src/shard/team.ts";
import { threadTeam } from "../../src/shard/threads.node.ts";
import { guest } from "./guest.ts";

const BUILT = existsSync(fileURLToPath(new URL("../../dist/shard/thread.node.js", import.meta.url)));
const MACHINE = loadMachine("seattle");

/** Cores that share lines and step on each other's sets, with maintenance that loses some of what they wrote. */
function entries(count: number): RecordEntry[] {
  let state = 1;
  const next = (below: number) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state % below;
  };
  return Array.from({ length: count }, () => {
    const core = next(8);
    const address = next(64) * 0x1_0000 + next(256) * 64 + next(8) * 8;
    const kind = next(20);
    if (kind === 0) return dc.ivac(core, address);
    if (kind === 1) return dc.civac(core, address);
    return kind < 12 ? load(core, address) : store(core, address);
  });
}

const open: (ShardedPlay | Team)[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((each) => each.close()));
});

async function start(shards: number, options: ShardedOptions = {}): Promise<ShardedPlay> {
  const play = await ShardedPlay.start(MACHINE, planShards(MACHINE, shards), threadTeam, options);
  open.push(play);
  return play;
}

function expectSame(play: ShardedPlay, engine: Engine): void {
  const { played } = play;
  expect(played?.records).toBe(engine.records);
  expect(played?.counters()).toEqual(engine.counters());
  expect(played?.hazards()).toEqual(engine.hazards());
  expect(played?.dirtyLines()).toEqual(engine.dirtyLines());
  expect(played?.notAssessable()).toEqual(engine.notAssessable());
}

/** The words played by one kernel and by three shards, which found the same. */
async function playedAlike(words: Uint32Array): Promise<{ play: ShardedPlay; kernel: Kernel }> {
  const kernel = createKernel(MACHINE);
  kernel.play(words);
  const play = await start(3);
  for (let at = 0; at < words.length; at += 50_000) await play.play(words.subarray(at, at + 50_000));
  await play.look();
  expectSame(play, kernel);
  return { play, kernel };
}

describe.skipIf(!BUILT)("threads (the built package; npm run build)", () => {
  it("find what one kernel finds, in memory too", async () => {
    const words = encodeRecords(entries(80_000));
    const { play, kernel } = await playedAlike(words);
    expect(kernel.hazards().length).toBeGreaterThan(0);
    for (let line = 0; line < 64; line++) {
      const address = line * 0x1_0000 + line * 64;
      for (const where of ["memory", "truth", { cache: 1 }] as const)
        expect(await play.peek(where, address - 8, 80)).toEqual(kernel.peek(where, address - 8, 80));
      expect(await play.copies(address)).toEqual(kernel.copies(address));
    }
  });

  it("stop at a bad record with one kernel's error, and have played what came before it", async () => {
    const before = entries(70_000);
    const words = encodeRecords([...before, load(0, 0xffff_ffff_f000), ...entries(80_000)]);
    const kernel = createKernel(MACHINE, { data: false });
    let expected: unknown;
    try {
      kernel.play(words);
    } catch (error) {
      expected = error;
    }
    const play = await start(2, { data: false });
    const failing = (async () => {
      await play.play(words);
      await play.look();
    })();
    await expect(failing).rejects.toThrow(RecordError);
    await expect(failing).rejects.toThrow((expected as Error).message);
    expectSame(play, kernel);
  });

  it("translate, and find what one kernel finds", async () => {
    const words = guest(8, 30_000);
    const { kernel } = await playedAlike(words);
    expect(kernel.counters().machine.walkReads).toBeGreaterThan(1000);
  });

  it("say which record needs the whole machine", async () => {
    const words = guest(2, 5000, "a page");
    const kernel = createKernel(MACHINE);
    kernel.play(words);
    const stale = kernel.hazards().find((hazard) => hazard.class === "stale-walk");
    const play = await start(2);
    await play.play(words);
    const error: unknown = await play.look().catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(WholeMachineNeeded);
    expect((error as WholeMachineNeeded).record).toBe(stale?.record);
  });

  const setups = (): PartSetup[] =>
    planShards(MACHINE, 3).shares.map((share) => ({ machine: MACHINE, data: false, share }));

  it("that cannot start are an error with the shard's number", async () => {
    const broken = setups().map((setup, shard) => (shard === 1 ? { ...setup, machine: null as never } : setup));
    await expect(threadTeam(broken)).rejects.toThrow(/^shard 1 of 3 failed: /);
  });

  it("that crash end everything that is waited for, with the shard's number", async () => {
    const team = await threadTeam(setups());
    open.push(team);
    // There is no half of a byte: the shard throws.
    const crash = team.ask(2, { what: "copies", address: 0.5 });
    const after = team.ask(2, { what: "findings" });
    await Promise.all([
      expect(crash).rejects.toThrow(ShardError),
      expect(after).rejects.toThrow(/^shard 2 of 3 failed: .*0\.5/),
    ]);
    await expect(team.send(new Uint32Array(2))).rejects.toThrow(/^shard 2 of 3 failed: /);
  });

  it("end at once when the signal says so", async () => {
    const stop = new AbortController();
    const play = await start(2, { signal: stop.signal });
    const words = encodeRecords(entries(80_000));
    const playing = (async () => {
      for (;;) await play.play(words);
    })();
    setTimeout(() => stop.abort(new Error("enough")), 50);
    await expect(playing).rejects.toThrow("enough");
    await expect(play.look()).rejects.toThrow("enough");
  });

  it("do not start for a signal that has been given", async () => {
    await expect(start(2, { signal: AbortSignal.abort(new Error("never mind")) })).rejects.toThrow("never mind");
  });
});
