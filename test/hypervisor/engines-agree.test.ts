/** Do the kernel and the reference model agree on whole virtual machines: every counter, hazard, statistic and value? */
import fc from "fast-check";
import { expect, it } from "vitest";
import type { Engine } from "../../src/engine/engine.ts";
import { createKernel } from "../../src/engine/kernel.ts";
import { createReference } from "../../src/engine/reference.ts";
import { ERA_NAMES, type EraName, Hypervisor, POLICY_STEPS, type PolicyStep } from "../../src/hypervisor/index.ts";
import { loadMachine } from "../../src/machine/index.ts";
import type { ResolvedMachine } from "../../src/machine/resolved.ts";
import { MIB, RAM, SMALL, SMALL_FWB } from "./engines.ts";

interface Step {
  readonly kind: number;
  readonly page: number;
  readonly line: number;
  readonly vcpu: number;
  readonly flag: boolean;
}

const STEPS = Object.keys(POLICY_STEPS) as PolicyStep[];
const ATTRIBUTES = ["WRITE_BACK", "NON_CACHEABLE", "DEVICE", "WRITE_THROUGH"] as const;

const step: fc.Arbitrary<Step> = fc.record({
  kind: fc.nat(19),
  page: fc.nat(5),
  line: fc.nat(63),
  vcpu: fc.nat(1),
  flag: fc.boolean(),
});

/** Plays steps and says everything that can be told afterwards. */
function play(
  create: (machine: ResolvedMachine) => Engine,
  era: EraName,
  without: readonly PolicyStep[],
  steps: readonly Step[],
) {
  const engine = create(loadMachine(era === "fwb" ? SMALL_FWB : SMALL));
  const hypervisor = new Hypervisor(engine, { era, without });
  const vm = hypervisor.createVm({ memory: MIB, vcpus: 2, starts: "caches on" });
  const seen: unknown[] = [];
  for (const [index, { kind, page, line, vcpu, flag }] of steps.entries()) {
    const cpu = vm.vcpu(vcpu);
    const ipa = RAM + page * 4096;
    const at = ipa + line * 64;
    const attribute = ATTRIBUTES[line % 4] as (typeof ATTRIBUTES)[number];
    const bits = { m: flag, c: flag, i: page % 2 === 0 };
    const actions: readonly (() => unknown)[] = [
      () => cpu.load(at, { attribute }),
      () => cpu.store(at, index + 1, { attribute }),
      () => cpu.fill(ipa, 4096, index, { attribute }),
      () => cpu.fetch(at),
      () => cpu.atomic(at, index),
      () => cpu.maintain(flag ? "DC_CIVAC" : "DC_IVAC", at, 128),
      () => cpu.maintain("DC_CVAU", at, 64),
      () => cpu.sctlr(bits),
      () => cpu.operation("DC_CISW", line * 64),
      () => cpu.operation("DC_ISW", line * 64 + 2),
      () => cpu.runOn(flag ? 1 : 0).core,
      () => vm.unmap(ipa, 4096, vcpu),
      () => vm.swapOut(ipa, vcpu),
      () => vm.user({ core: vcpu }).load(at),
      () => vm.user({ core: vcpu, attribute }).store(at, index),
      () => vm.ksmMerge(ipa, RAM + ((page + 1) % 6) * 4096),
      () => vm.discard(ipa, 4096),
      () => (flag ? vm.dirtyLog.start() : vm.dirtyLog.collect()),
      () => cpu.prefetch(at),
      () => cpu.expectFault(() => cpu.load(0x1000 * page))?.type,
    ];
    // What the guest cannot do faults, on both alike.
    seen.push(cpu.expectFault(() => seen.push((actions[kind] as () => unknown)()))?.type);
  }
  vm.destroy();
  return {
    seen: seen.map(String),
    statistics: vm.statistics,
    records: engine.records,
    counters: engine.counters(),
    hazards: engine.hazards(),
    dirty: engine.dirtyLines(),
  };
}

it("whatever guests and host do, in every era and with steps left out", () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...ERA_NAMES),
      fc.subarray(STEPS, { maxLength: 3 }),
      fc.array(step, { minLength: 5, maxLength: 30 }),
      (era, without, steps) => {
        expect(play(createKernel, era, without, steps)).toEqual(play(createReference, era, without, steps));
      },
    ),
    { numRuns: 40 },
  );
}, 120_000);
