/** Does replaying a recording give each machine its own set/way loops and its own line size, and leave the rest alone? */
import { describe, expect, it } from "vitest";
import { BareCpu } from "../../src/cpu/bare.ts";
import { createKernel } from "../../src/engine/kernel.ts";
import { OPERATIONS } from "../../src/engine/operations.ts";
import { dc, fetch, load, type RecordEntry, records, store } from "../../src/engine/record.ts";
import { loadMachine } from "../../src/machine/index.ts";
import { Recorder } from "../../src/scenario/recorder.ts";
import { type ReplayOptions, replay } from "../../src/scenario/replay.ts";

const A = 0x10_0000;

function replayed(machine: string, entries: readonly RecordEntry[], options?: ReplayOptions) {
  const engine = new Recorder(createKernel(loadMachine(machine)));
  const loops = replay(engine, (core) => new BareCpu(engine, core), records(...entries), options);
  return { engine, loops, played: [...engine.recordsBetween(0, engine.records)] };
}

describe("replay", () => {
  it("runs this machine's loop once for each recorded loop, whatever came between its operations", () => {
    const { loops, played } = replayed("exynos4412", [
      store(0, A),
      dc.cisw(0, 0),
      fetch(0, A),
      dc.cisw(0, 64),
      dc.isw(0, 0),
      dc.isw(0, 64),
      load(0, A),
    ]);
    expect(loops).toBe(2);
    const count = (code: number) => played.filter((each) => each.code === code).length;
    // The A9's L1: 32 KiB of 32-byte lines.
    expect(count(OPERATIONS.DC_CISW.code)).toBe(1024);
    expect(count(OPERATIONS.DC_ISW.code)).toBe(1024);
    expect(count(OPERATIONS.FETCH.code)).toBe(1);
    expect(played.at(-1)?.code).toBe(OPERATIONS.LOAD.code);
  });

  it("maintains every smaller line of a recorded line", () => {
    const operands = (machine: string) => replayed(machine, [dc.cvac(0, A + 72)]).played.map(({ operand }) => operand);
    expect(operands("exynos4412")).toEqual([A + 64, A + 96]);
    expect(operands("seattle")).toEqual([A + 72]);
  });

  it("leaves out what it is told to, and takes requesters from elsewhere", () => {
    const { played } = replayed("rpi4", [store(0, A), dc.cvac(0, A), load(1, A)], {
      leaveOut: (code) => code === OPERATIONS.DC_CVAC.code,
      requester: (index, recorded) => (index === 2 ? 3 : recorded),
    });
    expect(played.map(({ code, requester }) => [code, requester])).toEqual([
      [OPERATIONS.STORE.code, 0],
      [OPERATIONS.LOAD.code, 3],
    ]);
  });
});
