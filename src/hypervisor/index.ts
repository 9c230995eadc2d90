/**
 * A hypervisor over the engine: VMs whose stage-2 tables lie in simulated memory, virtual CPUs that are scheduled on and
 * migrated between cores, and KVM's cache maintenance as one policy for each era. It only issues records, so it runs on
 * the kernel and on the reference model alike.
 *
 * ```ts
 * const hypervisor = new Hypervisor(engine, { era: "4.1", without: ["flush at unmap"] });
 * const vm = hypervisor.createVm({ name: "guest", memory: 64 * MiB });      // IPA 0x4000_0000 unless a base is given
 * const cpu = vm.vcpu(0);                                                   // a Cpu; on core 0 until told otherwise
 * cpu.sctlr({ m: true, c: true, i: true });                                 // traps where the era has TVM
 * cpu.store(vm.base, 42);                                                   // faults its page in: zero, maintain, map
 * cpu.runOn(1);                                                             // migrates: MIGRATE, registers, owed flushes
 * cpu.reset();                                                              // as PSCI CPU_ON: caches off, all unmapped
 * cpu.setWayLoop("flushDcacheAll");                                         // with the geometry that this guest sees
 * cpu.playTrace(words);                                                     // a recorded trace, PA = IPA
 *
 * createVm({ memory: [{ bytes: 64 * MiB }, { base: 0, bytes: 2 * MiB, readonly: true, name: "flash" }],
 *            vcpus: 2, stage1: "tables", aarch32: true });
 * vm.mmio(0x0900_0000, 4096, { read: (offset, size) => 0n, write: (offset, size, value) => {} });   // emulated device
 * vm.user({ core: 2 }).load(ipa);            // the VMM's mapping: a Cpu by IPA; attribute Write-Back unless given
 * hypervisor.host(2).maintain("DC_CIVAC", vm.physical(ipa), 4096);          // the host kernel, by physical address
 * vm.populate(ipa, bytes);                   // maps without waiting for faults
 * vm.unmap(ipa, bytes);                      // MMU notifier: clear, TLBI, the era's flush; the page stays the VM's
 * vm.swapOut(ipa); vm.swapIn(ipa);           // through a DMA disk; a guest's access swaps in by itself
 * vm.ksmMerge(ipaA, ipaB);                   // one read-only page; a write copies
 * vm.dirtyLog.start(); vm.dirtyLog.collect();
 * const { vm: moved } = vm.migrateTo(otherHypervisor);                      // pre-copy; other engine, era and machine
 * vm.statistics.exits["set/way"]; vm.statistics.wholeVmFlushes;
 * vm.addMemslot({ base: ipa, bytes, physical: pa, attribute: "stage 1" });  // assigns physical memory or a device
 * vm.destroy();                              // its pages go back; whoever gets them next is somebody else (ASSIGN_PAGE)
 * ```
 *
 * A stage-1 exception that the guest did not expect is a `GuestFault` (src/cpu); `cpu.expectFault(() => ...)` returns it.
 * What a guest's own page tables need is `Stage1Tables`: real stores by any `Cpu`.
 */
export type { GuestRegisters } from "./cache-registers.ts";
export {
  BLOCK_BYTES,
  memAttrOf,
  PAGE_BYTES,
  type Stage1Control,
  type Stage1Leaf,
  type Stage2Leaf,
  type Stage2Memory,
  spanOf,
  stage1Leaf,
  stage2Leaf,
  tableDescriptor,
  tcrOf,
  vtcrOf,
  vttbrOf,
  type WalkCacheability,
} from "./descriptors.ts";
export { ERA_NAMES, ERAS, type EraName, type EraPolicy, erasOf, POLICY_STEPS, type PolicyStep } from "./eras.ts";
export type { HostCpu } from "./host.ts";
export { Hypervisor, type HypervisorOptions, type HypervisorStep } from "./hypervisor.ts";
export type { Memslot, MemslotOptions } from "./memslots.ts";
export type { MigrationOptions, MigrationResult } from "./migration.ts";
export {
  MAIR_BYTES,
  STAGE1_STEPS,
  type Stage1Memory,
  type Stage1Options,
  type Stage1Step,
  Stage1Tables,
  type Stage1TablesOptions,
} from "./stage1-tables.ts";
export type { ExitReason, VmStatistics } from "./statistics.ts";
export type { UserOptions } from "./user.ts";
export type { Vcpu } from "./vcpu.ts";
export type { DirtyLog, EmulatedDevice, PopulateOptions, Vm, VmOptions } from "./vm.ts";
