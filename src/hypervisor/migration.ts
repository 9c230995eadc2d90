/**
 * Live migration, as a VMM does it: pages are read through this host's cacheable alias while the guest runs, the ones it
 * has written meanwhile again, and the other host's VMM writes what was read. Nothing is carried but bytes and registers.
 */
import { PAGE_BYTES } from "./descriptors.ts";
import type { Hypervisor } from "./hypervisor.ts";
import { observePage, writePage } from "./observed-bytes.ts";
import type { Vm, VmOptions } from "./vm.ts";

export interface MigrationOptions {
  readonly name?: string;
  /** Rounds of pre-copy before the guest stops; default 1. */
  readonly rounds?: number;
  /** What the guest does while a round is sent, from round 1 on. */
  readonly between?: (round: number) => void;
  /** Where the sending and the receiving VMM run; default each hypervisor's host core. */
  readonly core?: number;
  readonly targetCore?: number;
  /** What the guest is there, where it differs: cores, exposed CTR bits, HCR bits. */
  readonly options?: Partial<VmOptions>;
}

export interface MigrationResult {
  /** The VM on the other host, ready to go on. */
  readonly vm: Vm;
  /** Pages sent in each round, the first being all of them and the last those of the stop. */
  readonly pagesSent: readonly number[];
}

export function migrateVm(vm: Vm, target: Hypervisor, options: MigrationOptions): MigrationResult {
  const { hypervisor } = vm;
  const { rounds = 1, core = hypervisor.hostCore, targetCore = target.hostCore } = options;
  const moved = target.createVm({ ...vm.options, ...options.options, name: options.name ?? vm.name });
  for (const { base, bytes, device } of vm.mmioRegions) moved.mmio(base, bytes, device);
  const pagesSent: number[] = [];
  const send = (pages: readonly number[]) => {
    for (const ipa of pages) sendPage(vm, moved, ipa, core, targetCore);
    pagesSent.push(pages.length);
  };
  vm.dirtyLog.start(core);
  send(vm.pagesInUse());
  for (let round = 1; round <= rounds; round++) {
    options.between?.(round);
    if (round < rounds) send(vm.dirtyLog.collect(core));
  }
  for (const vcpu of vm.vcpus) hypervisor.cores.unload(vcpu);
  send(vm.dirtyLog.collect(core));
  vm.dirtyLog.stop();
  for (const [index, vcpu] of vm.vcpus.entries()) {
    const there = moved.vcpu(index);
    for (const [name, value] of vcpu.registers) there.registers.set(name, value);
    there.context = vcpu.context;
  }
  hypervisor.tell(vm, `moved to ${target.engine.machine.name}: ${pagesSent.join(" + ")} pages`);
  return { vm: moved, pagesSent };
}

function sendPage(from: Vm, to: Vm, ipa: number, core: number, targetCore: number): void {
  const [reader, writer] = [from.user({ core }), to.user({ core: targetCore })];
  // The page is there before it is looked at: it may be on the disk.
  const frame = from.hostAddress(ipa, core, false);
  const bytes = observePage(from.hypervisor.engine, frame, (address, size) => {
    reader.load(ipa + (address - frame), { size });
  });
  writePage(ipa, bytes, Math.min(to.hypervisor.machine.smallestLineBytes, PAGE_BYTES), (address, value, size) =>
    writer.store(address, value, { size }),
  );
}
