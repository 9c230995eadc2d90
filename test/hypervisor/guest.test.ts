/** Does a guest run: memory that appears when touched, devices that are emulated, faults that are its own to take? */
import { describe, expect, it } from "vitest";
import { GuestFault } from "../../src/cpu/cpu.ts";
import { type EraName, Stage1Tables } from "../../src/hypervisor/index.ts";
import { ENGINES, harm, host, MIB, RAM } from "./engines.ts";

const ERAS: readonly EraName[] = ["none", "3.9", "4.1", "modern", "fwb"];
const UNCACHED = { attribute: "NON_CACHEABLE" } as const;

describe.each(ENGINES)("on the %s", (_, create) => {
  describe.each(ERAS)("in era %s", (era) => {
    it("a page is there when it is touched, zeroed, and nowhere near its IPA", () => {
      const { vm, engine } = host(create, era, {}, { starts: "caches on" });
      const cpu = vm.vcpu(0);
      expect(cpu.load(RAM + 0x3008)).toBe(0n);
      cpu.store(RAM + 0x3008, 42);
      expect(cpu.load(RAM + 0x3008)).toBe(42n);
      expect(vm.user().load(RAM + 0x3008)).toBe(42n);
      expect(vm.physical(RAM + 0x3008)).toBeLessThan(MIB);
      expect([vm.isMapped(RAM + 0x3000), vm.isMapped(RAM + 0x4000)]).toEqual([true, false]);
      expect(vm.statistics.exits["page fault"]).toBe(1);
      expect(harm(engine)).toEqual([]);
    });

    it("an access over two pages faults both in", () => {
      const { vm } = host(create, era, {}, { starts: "caches on" });
      vm.vcpu(0).store(RAM + 0xff0, 1, { size: 64 });
      expect(vm.statistics.exits["page fault"]).toBe(2);
      expect(vm.vcpu(0).load(RAM + 0x1028)).toBe(1n);
    });

    it("every exit has its entry, and both are priced", () => {
      const { vm, engine } = host(create, era, {}, { starts: "caches on" });
      for (let page = 0; page < 8; page++) vm.vcpu(0).store(RAM + page * 4096, 1);
      const [events] = engine.counters().events;
      expect([events?.exit, events?.entry]).toEqual([8, 9]);
    });

    it("a guest's own tables translate, from memory that faults in on the way", () => {
      const { vm, engine } = host(create, era, {}, { stage1: "tables" });
      const cpu = vm.vcpu(0);
      const memory = { base: RAM + MIB, bytes: 0x8000 };
      // What the host left in caches must go first: it would land on top of the tables (eras none and 3.9).
      cpu.maintain("DC_CIVAC", memory.base, memory.bytes);
      cpu.dsb();
      const tables = new Stage1Tables(cpu, { memory });
      tables.map(0x10_0000, RAM + 0x2000, 0x2000).map(RAM, RAM, 4 * MIB);
      tables.map(0x20_0000, RAM + 0x2000, 0x1000, { memory: "non-cacheable", write: false });
      // The tables were written with caches off: whatever speculation has of them must go.
      cpu.maintain("DC_IVAC", tables.used.base, tables.used.bytes);
      cpu.dsb();
      tables.install();
      cpu.sctlr({ m: true, c: true, i: true });
      cpu.store(0x10_0008, 7);
      expect(cpu.load(RAM + 0x2008)).toBe(7n);
      expect(cpu.expectFault(() => cpu.store(0x20_0000, 1))).toMatchObject({ type: "permission", stage: 1, level: 3 });
      expect(cpu.expectFault(() => cpu.load(0x30_0000))).toMatchObject({ type: "translation", stage: 1 });
      tables.unmap(0x10_0000, 0x1000);
      expect(cpu.expectFault(() => cpu.load(0x10_0000))).toMatchObject({ type: "translation", stage: 1, level: 3 });
      expect(harm(engine)).toEqual([]);
    });

    it("a guest's invalidation of its new tables brings the host's zeroes back, unless they went at map", () => {
      const { vm, engine } = host(create, era, {}, { stage1: "tables" });
      const cpu = vm.vcpu(0);
      const tables = new Stage1Tables(cpu, { memory: { base: RAM + MIB, bytes: 0x8000 } });
      tables.map(RAM, RAM, 4 * MIB);
      // DC IVAC below stage 2 is CIVAC (HCR_EL2.VM).
      cpu.maintain("DC_IVAC", tables.used.base, tables.used.bytes);
      cpu.dsb();
      tables.install();
      cpu.sctlr({ m: true, c: true, i: true });
      const fault = cpu.expectFault(() => cpu.store(RAM + 0x2000, 7));
      const broken = era === "none" || era === "3.9";
      expect(fault === undefined).toBe(!broken);
      expect(harm(engine).includes("lost-write")).toBe(broken);
    });
  });

  it("2 MiB blocks map as one, where alignment allows", () => {
    const memory = [{ bytes: 5 * MIB, mapping: "block" as const }];
    const { vm } = host(create, "modern", {}, { memory, starts: "caches on" });
    const cpu = vm.vcpu(0);
    cpu.store(RAM + MIB, 1);
    cpu.store(RAM + 4 * MIB, 2);
    expect(vm.statistics).toMatchObject({ pagesMapped: 513, exits: { "page fault": 2 } });
    expect(vm.physical(RAM + MIB) % MIB).toBe(0);
    expect([cpu.load(RAM + MIB), cpu.load(RAM + 4 * MIB)]).toEqual([1n, 2n]);
  });

  describe("bad guests get what the architecture gives, and the host goes on", () => {
    const { vm } = host(create, "modern", {}, { memory: [{ bytes: MIB }, { base: 0, bytes: MIB, readonly: true }] });
    const cpu = vm.vcpu(0);
    it.each([
      ["a load where nothing is", () => cpu.load(0x8000_0000), { type: "external", target: 1 }],
      ["a store where nothing is", () => cpu.store(0x8000_0000, 1), { type: "external", target: 1 }],
      ["a fetch where nothing is", () => cpu.fetch(0x8000_0000), { type: "external", target: 1 }],
      ["an atomic on a device", () => cpu.atomic(0x8000_0000, 1), { type: "external", target: 1 }],
      ["a store to ROM without a device behind it", () => cpu.store(0x100, 1), { type: "external", target: 1 }],
      ["beyond the IPA size", () => cpu.load(2 ** 44), { target: 1 }],
      ["an unaligned access to Device memory", () => cpu.load(RAM + 3, { size: 8 }), { type: "alignment", target: 1 }],
    ])("%s", (_, body, fault) => expect(cpu.expectFault(body)).toMatchObject(fault));

    it("maintenance where nothing is means nothing (KVM skips it)", () => {
      cpu.maintain("DC_CIVAC", 0x8000_0000, 64);
      expect(vm.statistics.exits["skipped maintenance"]).toBe(1);
    });
    it("registers of EL2 aren't there", () => {
      expect(() => cpu.msr("HCR_EL2", 0n)).toThrow(/no such register/);
      expect(() => cpu.msr("CONTEXT", 2n)).toThrow(/no such register/);
    });
    it("a walk of tables that lie nowhere is an external abort of the walk", () => {
      const other = host(create, "modern", {}, { stage1: "tables" });
      const lost = other.vm.vcpu(0);
      lost.msr("TCR_EL1", 25n);
      lost.msr("TTBR0_EL1", 0x8000_0000n);
      lost.sctlr({ m: true, c: true, i: true });
      expect(lost.expectFault(() => lost.load(0))).toMatchObject({ type: "external", duringWalk: true, target: 1 });
    });
    it("a fault is an error that says where", () => {
      expect(() => cpu.load(0x8000_0000)).toThrow(GuestFault);
      expect(() => cpu.load(0x8000_0000)).toThrow(/external fault.*0x80000000/);
    });
    it("EL0 may not do what EL1 may, and comes back", () => {
      cpu.msr("CONTEXT", 0n);
      expect(cpu.expectFault(() => cpu.maintain("DC_CVAC", RAM, 64))).toMatchObject({ type: "trap", target: 1 });
      cpu.load(RAM + 0x8000);
      cpu.msr("CONTEXT", 1n);
      cpu.sctlr({ m: false, c: false, i: false });
    });
  });

  it("emulated devices: each access is an exit, and what the device says is what the guest reads", () => {
    const { vm, engine } = host(create, "4.1");
    const log: string[] = [];
    vm.mmio(0x900_0000, 0x1000, {
      read: (offset, size) => BigInt(offset * 16 + size),
      write: (offset, size, value) => log.push(`${offset} ${size} ${value}`),
    });
    const cpu = vm.vcpu(0);
    expect(cpu.load(0x900_0004, { size: 4 })).toBe(0x44n);
    cpu.store(0x900_0010, 0x1234_5678, { size: 2 });
    cpu.store(0x900_0020, 5, { size: 16 });
    expect(log).toEqual([`16 2 ${0x5678}`, "32 8 5", "40 8 5"]);
    expect(vm.statistics.exits.mmio).toBe(4);
    expect(engine.counters().events[0]).toMatchObject({ mmioExit: 4, exit: 4 });
    // The next read of memory isn't the device's value.
    expect(cpu.load(RAM)).toBe(0n);
  });

  it("ROM: reads are memory, writes are the device's, maintenance means nothing there", () => {
    const { vm } = host(create, "modern", {}, { memory: [{ bytes: MIB }, { base: 0, bytes: MIB, readonly: true }] });
    const written: number[] = [];
    vm.mmio(0, MIB, { write: (offset) => written.push(offset) });
    vm.user().store(0x1000, 99);
    const cpu = vm.vcpu(0);
    expect(cpu.load(0x1000)).toBe(99n);
    cpu.store(0x1000, 1);
    cpu.maintain("DC_IVAC", 0x1000, 64);
    expect([written, cpu.load(0x1000)]).toEqual([[0x1000], 99n]);
  });

  it("traps that nobody asked for are stepped over", () => {
    const { vm } = host(create, "4.1", {}, { hcr: { set: 1n << 23n }, starts: "caches on" });
    const cpu = vm.vcpu(0);
    cpu.store(RAM, 5);
    cpu.maintain("DC_CIVAC", RAM, 128);
    expect(vm.statistics.exits["other trap"]).toBe(2);
    expect(cpu.load(RAM, UNCACHED)).toBe(5n);
  });

  it("virtual CPUs that share a core keep their registers, and pay for every switch", () => {
    const { vm, engine } = host(create, "modern", {}, { vcpus: 2, cores: [0, 0] });
    const [one, two] = [vm.vcpu(0), vm.vcpu(1)];
    one.sctlr({ m: true, c: true, i: true });
    one.msr("TTBR0_EL1", 0x1000n);
    two.msr("TTBR0_EL1", 0x2000n);
    expect([one.mrs("TTBR0_EL1"), two.mrs("TTBR0_EL1"), two.mrs("SCTLR_EL1")]).toEqual([0x1000n, 0x2000n, 0n]);
    expect([one.cachesOn, two.cachesOn]).toEqual([true, false]);
    expect(engine.counters().tlbs[0]?.invalidated).toBeGreaterThanOrEqual(0);
    expect(vm.statistics.exits.interrupted).toBeGreaterThanOrEqual(2);
  });

  it("a virtual CPU that moves takes its registers along", () => {
    const { vm } = host(create, "4.1", {}, { starts: "caches on" });
    const cpu = vm.vcpu(0);
    cpu.msr("TTBR0_EL1", 0x1000n);
    cpu.store(RAM, 3);
    expect(cpu.runOn(1).core).toBe(1);
    expect([cpu.mrs("TTBR0_EL1"), cpu.load(RAM), vm.statistics.migrations]).toEqual([0x1000n, 3n, 1]);
    expect(() => cpu.runOn(9)).toThrow(/no such core/);
  });

  it("a virtual CPU that is initialized again starts with caches off, and finds what it wrote", () => {
    const { vm, engine } = host(create, "4.1", {}, { starts: "caches on" });
    const cpu = vm.vcpu(0);
    cpu.store(RAM, 4);
    cpu.reset();
    expect([cpu.cachesOn, vm.isMapped(RAM), cpu.load(RAM), harm(engine)]).toEqual([false, false, 4n, []]);
    cpu.sctlr({ m: true, c: true, i: true });
    expect(vm.statistics.wholeVmFlushes).toBe(1);
  });

  it("the first fetch from a page invalidates instruction caches (6.12), unless DIC says that nothing need be", () => {
    const { vm, engine } = host(create, "modern", {}, { starts: "caches on" });
    const cpu = vm.vcpu(0);
    cpu.load(RAM);
    const before = engine.counters().events[0]?.maintenance ?? 0;
    cpu.fetch(RAM);
    expect((engine.counters().events[0]?.maintenance ?? 0) - before).toBe(64);
    expect(vm.statistics.exits.permission).toBe(1);
    cpu.fetch(RAM + 8);
    expect(vm.statistics.exits.permission).toBe(1);
  });
});
