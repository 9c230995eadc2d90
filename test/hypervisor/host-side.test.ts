/** What does the host do to a guest's pages behind its back, and is the guest's data right afterwards, in each era? */
import { describe, expect, it } from "vitest";
import { type EraName, Hypervisor, type PolicyStep } from "../../src/hypervisor/index.ts";
import { loadMachine } from "../../src/machine/index.ts";
import { ENGINES, harm, host, MIB, RAM, SMALL, SMALL_FWB } from "./engines.ts";

const UNCACHED = { attribute: "NON_CACHEABLE" } as const;

describe.each(ENGINES)("on the %s", (_, create) => {
  describe("a page swapped out that the guest wrote with caches off (scenario 3)", () => {
    const swap = (era: EraName, without: readonly PolicyStep[] = []) => {
      const { vm, engine } = host(create, era, { without });
      const cpu = vm.vcpu(0);
      cpu.fill(RAM, 4096, 1);
      // A clean line that speculation brought in through the host's alias, stale as soon as the guest writes.
      vm.user().prefetch(RAM + 64);
      cpu.fill(RAM, 4096, 0xab);
      vm.swapOut(RAM);
      expect([vm.isMapped(RAM), vm.isSwapped(RAM)]).toEqual([false, true]);
      // Another guest gets the page that it had.
      const value = [cpu.load(RAM), cpu.load(RAM + 64)];
      expect([vm.isMapped(RAM), vm.isSwapped(RAM)]).toEqual([true, false]);
      return { value, harm: [...new Set(harm(engine))], statistics: vm.statistics };
    };
    it.each(["4.1", "modern", "fwb"] as const)("%s: what comes back is what went", (era) => {
      const { value, harm: hazards, statistics } = swap(era);
      expect([value, hazards]).toEqual([[0xabn, 0xabn], []]);
      expect([statistics.swappedOut, statistics.swappedIn]).toEqual([1, 1]);
    });
    it.each([
      ["none", []],
      ["4.1", ["flush at unmap"]],
      ["modern", ["flush at unmap"]],
    ] as const)("%s without %j: the disk has the stale line, and the guest gets it back", (era, without) => {
      const { value, harm: hazards } = swap(era, without);
      expect(hazards).toContain("stale-dma");
      // (In era none what comes back lands in the system cache, and the guest reads its old bytes behind it: right by luck.)
      if (era !== "none") expect(value[1]).not.toBe(0xabn);
    });
  });

  describe("a page that another guest had before (the leak at map)", () => {
    const leak = (era: EraName, without: readonly PolicyStep[] = []) => {
      const { vm, engine, hypervisor } = host(create, era, { without }, { name: "first", starts: "caches on" });
      vm.vcpu(0).fill(RAM, 4096, 0x5ec7e7);
      vm.vcpu(0).maintain("DC_CVAC", RAM, 4096);
      const next = hypervisor.createVm({ name: "second", memory: MIB });
      // Its tables are made before the page is free.
      next.vcpu(0).load(RAM + 4096);
      const page = vm.physical(RAM);
      vm.discard(RAM, 4096);
      const seen = next.vcpu(0).load(RAM + 8);
      expect(next.physical(RAM)).toBe(page);
      return { seen, harm: [...new Set(harm(engine))] };
    };
    it.each(["4.1", "modern", "fwb"] as const)("%s: zeroes", (era) => {
      expect(leak(era)).toEqual({ seen: 0n, harm: [] });
    });
    it.each([
      ["none", []],
      ["4.1", ["flush at map"]],
      ["modern", ["flush at map"]],
    ] as const)("%s without %j: the secret", (era, without) => {
      const { seen, harm: hazards } = leak(era, without);
      expect(seen).toBe(0x5ec7e7n);
      expect(hazards).toContain("leak");
    });
  });

  it("4.1 flushes at map only for caches off and incoherent memslots; modern always", () => {
    const flushed = (era: EraName, starts: "reset" | "caches on", incoherent = false) => {
      const { vm } = host(create, era, {}, { starts, memory: [{ bytes: MIB, incoherent }] });
      vm.vcpu(0).load(RAM);
      return vm.statistics.pagesFlushedAtMap;
    };
    expect([flushed("4.1", "reset"), flushed("4.1", "caches on"), flushed("4.1", "caches on", true)]).toEqual([
      1, 0, 1,
    ]);
    expect([flushed("modern", "reset"), flushed("modern", "caches on")]).toEqual([1, 1]);
    expect([flushed("none", "reset"), flushed("3.9", "reset"), flushed("fwb", "reset")]).toEqual([0, 0, 0]);
  });

  it("the VMM's own mapping: stale with a cacheable one, right with an uncached one or with FWB (scenario 5)", () => {
    const look = (era: EraName, attribute: "WRITE_BACK" | "NON_CACHEABLE") => {
      const { vm, engine } = host(create, era, { hostCore: 1 }, { starts: "caches on" });
      const cpu = vm.vcpu(0);
      const vmm = vm.user({ attribute });
      const framebuffer = RAM + MIB;
      cpu.store(framebuffer, 1, UNCACHED);
      vmm.load(framebuffer);
      cpu.store(framebuffer, 2, UNCACHED);
      return [vmm.load(framebuffer), harm(engine)];
    };
    expect(look("modern", "WRITE_BACK")).toEqual([1n, ["stale-read"]]);
    expect(look("modern", "NON_CACHEABLE")).toEqual([2n, []]);
    expect(look("fwb", "WRITE_BACK")).toEqual([2n, []]);
  });

  it("unmapping takes translations along: the next access faults and finds the same page", () => {
    const { vm } = host(create, "modern", {}, { starts: "caches on" });
    const cpu = vm.vcpu(0);
    cpu.store(RAM, 6);
    const page = vm.physical(RAM);
    vm.unmap(RAM, 4096);
    expect([vm.isMapped(RAM), vm.statistics.pagesFlushedAtUnmap]).toEqual([false, 1]);
    expect([cpu.load(RAM), vm.statistics.exits["page fault"], vm.physical(RAM)]).toEqual([6n, 2, page]);
  });

  it("without the TLBI the guest goes on with a page that isn't its own any more", () => {
    const { vm } = host(create, "modern", { without: ["TLBI at unmap"] }, { starts: "caches on" });
    const cpu = vm.vcpu(0);
    cpu.store(RAM, 6);
    vm.unmap(RAM, 4096);
    cpu.store(RAM, 7);
    expect(vm.statistics.exits["page fault"]).toBe(1);
  });

  it("KSM: one page for two, until one of them is written", () => {
    const { vm, engine, hypervisor } = host(create, "modern", {}, { starts: "caches on" });
    const other = hypervisor.createVm({ memory: MIB, starts: "caches on", cores: [1] });
    vm.vcpu(0).fill(RAM, 4096, 5);
    vm.vcpu(0).fill(RAM + 4096, 4096, 6);
    other.vcpu(0).fill(RAM, 4096, 5);
    expect(vm.ksmMerge(RAM, RAM + 4096)).toBe(false);
    expect(vm.ksmMerge(RAM, RAM, other)).toBe(true);
    expect(vm.physical(RAM)).toBe(other.physical(RAM));
    expect([vm.vcpu(0).load(RAM), other.vcpu(0).load(RAM)]).toEqual([5n, 5n]);
    other.vcpu(0).store(RAM, 8);
    expect([vm.vcpu(0).load(RAM), other.vcpu(0).load(RAM), other.vcpu(0).load(RAM + 8)]).toEqual([5n, 8n, 5n]);
    // The last user of a merged page needs no copy.
    vm.vcpu(0).store(RAM, 9);
    expect([vm.statistics.copiedOnWrite, other.statistics.copiedOnWrite]).toEqual([0, 1]);
    expect(vm.vcpu(0).load(RAM)).toBe(9n);
    // The VMM's writes copy as well.
    expect(vm.ksmMerge(RAM + 0x10_0000, RAM + 0x20_0000)).toBe(true);
    vm.user().store(RAM + 0x10_0000, 3);
    expect([vm.vcpu(0).load(RAM + 0x10_0000), vm.vcpu(0).load(RAM + 0x20_0000)]).toEqual([3n, 0n]);
    expect(harm(engine)).toEqual([]);
  });

  it.each([["page"], ["block"]] as const)(
    "dirty logging by %s finds every page that was written, and no other",
    (mapping) => {
      // Neither zeroed nor flushed at map: it is only the reference model that 2 MiB are slow for.
      const quick = { without: ["zero at map", "flush at map"] } as const;
      const { vm } = host(create, "modern", quick, { starts: "caches on", memory: [{ bytes: 4 * MIB, mapping }] });
      const cpu = vm.vcpu(0);
      for (const page of [0, 1, 2]) cpu.store(RAM + page * 4096, 1);
      vm.dirtyLog.start();
      cpu.load(RAM);
      cpu.store(RAM + 4096, 2);
      cpu.maintain("DC_CIVAC", RAM, 64);
      // DC IVAC is a write where permissions are asked (arm-facts C).
      cpu.operation("DC_IVAC", RAM + 2 * 4096);
      cpu.store(RAM + 3 * MIB, 1);
      expect(vm.dirtyLog.collect()).toEqual([RAM + 4096, RAM + 2 * 4096, RAM + 3 * MIB]);
      cpu.load(RAM + 4096);
      expect(vm.dirtyLog.collect()).toEqual([]);
      cpu.store(RAM + 4096, 3);
      vm.user().store(RAM + 2 * 4096, 3);
      expect(vm.dirtyLog.collect()).toEqual([RAM + 4096, RAM + 2 * 4096]);
      vm.dirtyLog.stop();
    },
  );

  it("a VM moves to another machine and era while it runs, and takes memory and registers along", () => {
    const { vm, engine } = host(create, "4.1", {}, { starts: "caches on" });
    const cpu = vm.vcpu(0);
    for (let page = 0; page < 4; page++) cpu.store(RAM + page * 4096, 100 + page);
    cpu.msr("TTBR0_EL1", 0x77n);
    vm.swapOut(RAM + 3 * 4096);
    const target = create(loadMachine(SMALL_FWB));
    const there = new Hypervisor(target, { era: "fwb" });
    const { vm: moved, pagesSent } = vm.migrateTo(there, {
      rounds: 2,
      between: (round) => cpu.store(RAM + round * 4096, 200 + round),
    });
    expect(pagesSent).toEqual([4, 1, 1]);
    const now = moved.vcpu(0);
    expect([0, 1, 2, 3].map((page) => now.load(RAM + page * 4096))).toEqual([100n, 201n, 202n, 103n]);
    expect([now.mrs("TTBR0_EL1"), now.cachesOn]).toEqual([0x77n, true]);
    expect([harm(engine), harm(target)]).toEqual([[], []]);
  });

  it("a migration reads through the host's alias: what the guest wrote uncached may not be what arrives", () => {
    const { vm, engine } = host(create, "none", {}, { starts: "caches on" });
    const cpu = vm.vcpu(0);
    cpu.store(RAM, 1, UNCACHED);
    vm.user().prefetch(RAM);
    cpu.store(RAM, 2, UNCACHED);
    const { vm: moved } = vm.migrateTo(new Hypervisor(create(loadMachine(SMALL)), { era: "none" }));
    expect(moved.vcpu(0).load(RAM)).not.toBe(2n);
    expect(harm(engine)).toContain("stale-read");
  });

  it("what a destroyed VM had is there for the next one", () => {
    const { vm, hypervisor, engine } = host(create, "modern", {}, { starts: "caches on" });
    vm.populate(RAM, 0x8000);
    const before = vm.physical(RAM);
    vm.destroy();
    const next = hypervisor.createVm({ memory: 0x1_0000, starts: "caches on" });
    next.populate();
    expect(next.vcpu(0).load(RAM)).toBe(0n);
    expect(next.pagesInUse().map((ipa) => next.physical(ipa))).toContain(before);
    expect(harm(engine)).toEqual([]);
  });

  it("assigned physical memory is neither zeroed nor freed, and stage 2 says what it is told to", () => {
    const { vm, hypervisor } = host(create, "modern", { ram: [{ base: 0, bytes: 64 * MIB }] }, { starts: "caches on" });
    hypervisor.host().store(0x1000_0000, 77);
    vm.addMemslot({ base: 0x8000_0000, bytes: 0x2000, physical: 0x1000_0000, attribute: "non-cacheable" });
    vm.user().maintain("DC_CIVAC", 0x8000_0000, 64);
    const cpu = vm.vcpu(0);
    expect(cpu.load(0x8000_0000)).toBe(77n);
    cpu.store(0x8000_0008, 78);
    expect(hypervisor.host().load(0x1000_0008, UNCACHED)).toBe(78n);
    vm.removeMemslot(0x8000_0000);
    expect(cpu.expectFault(() => cpu.load(0x8000_0000))?.type).toBe("external");
    expect(hypervisor.host().load(0x1000_0008, UNCACHED)).toBe(78n);
  });

  it("mistakes are told with what would be right", () => {
    const { vm, hypervisor } = host(create, "modern");
    expect(() => vm.physical(0x100)).toThrow(/no memory there.*0x40000000 to 0x40400000/);
    expect(() => vm.vcpu(3)).toThrow(/no such virtual CPU.*0 to 0/);
    expect(() => vm.addMemslot({ base: RAM + 4096, bytes: MIB })).toThrow(/overlaps ram/);
    expect(() => vm.addMemslot({ bytes: 100 })).toThrow(/bad size/);
    expect(() => hypervisor.createVm({ memory: MIB, cores: [7] })).toThrow(/no such core/);
    const diskless = host(create, "modern", {}, {}, { ...SMALL, devices: [{ name: "nic", coherent: false }] });
    diskless.vm.vcpu(0).store(RAM, 1);
    expect(() => diskless.vm.swapOut(RAM)).toThrow(/no device to swap to.*nic \(non-coherent\).*a coherent device/);
  });
});
