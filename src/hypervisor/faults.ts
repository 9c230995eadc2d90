/**
 * Stage-2 faults: a page that isn't there yet, a write to one that is read-only for a while, an emulated device, or
 * something that the guest must be told about. Steps as KVM's kvm_handle_guest_abort() and user_mem_abort() have them.
 */
import { GuestFault } from "../cpu/cpu.ts";
import type { Exit } from "../engine/exit.ts";
import { OPERATIONS } from "../engine/operations.ts";
import type { Answer, ExitedRecord } from "./exits.ts";
import { type Memslot, pageOf } from "./memslots.ts";
import { DIRTY, EXECUTABLE, MAPPED, MERGED, WRITABLE } from "./page-states.ts";
import type { Vcpu } from "./vcpu.ts";

const MAINTENANCE: readonly number[] = [
  OPERATIONS.DC_IVAC.code,
  OPERATIONS.DC_CVAC.code,
  OPERATIONS.DC_CIVAC.code,
  OPERATIONS.DC_CVAU.code,
  OPERATIONS.DC_CVAP.code,
  OPERATIONS.IC_IVAU.code,
];

/** An MMIO exit has a syndrome for at most eight bytes. */
const MMIO_BYTES = 8;

export function handleFault(vcpu: Vcpu, exit: Exit, record: ExitedRecord): Answer {
  const { vm } = vcpu;
  if (exit.stage !== 2 || exit.ipa < 0) return inject(vcpu, exit);
  const slot = vm.memslots.find(exit.ipa);
  if (slot === undefined) return outsideMemslots(vcpu, exit, record);
  switch (exit.type) {
    case "translation":
      return faultIn(vcpu, exit, slot, record);
    case "permission":
      return permission(vcpu, exit, slot, record);
    default:
      return inject(vcpu, exit);
  }
}

function faultIn(vcpu: Vcpu, exit: Exit, slot: Memslot, record: ExitedRecord): Answer {
  const { vm } = vcpu;
  const write = exit.access === "write" && !exit.duringWalk;
  if (write && slot.readonly) return outsideMemslots(vcpu, exit, record);
  vm.statistics.exits["page fault"]++;
  vm.faultIn(vcpu, slot, pageOf(slot, exit.ipa), write);
  return "again";
}

function permission(vcpu: Vcpu, exit: Exit, slot: Memslot, record: ExitedRecord): Answer {
  const { vm } = vcpu;
  const { cores, policy } = vm.hypervisor;
  const page = pageOf(slot, exit.ipa);
  const state = slot.pages.state(page);
  if ((state & MAPPED) === 0 || exit.duringWalk) return inject(vcpu, exit);
  if (exit.access === "fetch") {
    if (state & EXECUTABLE) return inject(vcpu, exit);
    vm.statistics.exits.permission++;
    cores.asHost(vcpu.core, (records) => vm.stage2.makeExecutable(records, slot, page), vm);
    return "again";
  }
  if (exit.access !== "write" || state & WRITABLE) return inject(vcpu, exit);
  if (slot.readonly) return outsideMemslots(vcpu, exit, record);
  vm.statistics.exits.permission++;
  if (state & MERGED && policy.does("copy on write")) {
    vm.hypervisor.tell(vcpu, `writes a merged page at 0x${exit.ipa.toString(16)}: it gets a copy`);
    vm.copyOnWrite(vcpu.core, slot, page, vm.policyCaches(vcpu));
    return "again";
  }
  cores.asHost(
    vcpu.core,
    (records) => {
      vm.stage2.split(records, slot, page);
      vm.stage2.protect(records, slot, page, slot.pages.state(page) | WRITABLE | DIRTY);
    },
    vm,
  );
  return "again";
}

/** No memory there: an emulated device, or maintenance that means nothing, or an abort that the guest takes. */
function outsideMemslots(vcpu: Vcpu, exit: Exit, record: ExitedRecord): Answer {
  const { vm } = vcpu;
  if (exit.duringWalk || exit.access === "fetch") return inject(vcpu, exit, "external");
  if (MAINTENANCE.includes(exit.operation)) {
    vm.statistics.exits["skipped maintenance"]++;
    return "skip";
  }
  if (exit.operation === OPERATIONS.LOAD.code) return emulateRead(vcpu, exit, record);
  if (exit.operation === OPERATIONS.STORE.code) return emulateWrite(vcpu, exit, record);
  return inject(vcpu, exit, "external");
}

/** An access of a record covers the aligned eight bytes around its address unless it has a size (D5). */
function rangeOf(exit: Exit, { sizeBytes }: ExitedRecord): { readonly base: number; readonly bytes: number } {
  if (sizeBytes > 0) return { base: exit.ipa, bytes: sizeBytes };
  return { base: exit.ipa - (exit.ipa % MMIO_BYTES), bytes: MMIO_BYTES };
}

function emulateRead(vcpu: Vcpu, exit: Exit, record: ExitedRecord): Answer {
  let first: bigint | undefined;
  eachMmio(vcpu, exit, record, (read, offset, bytes) => {
    const value = BigInt.asUintN(8 * bytes, read.device.read?.(offset, bytes) ?? 0n);
    first ??= value;
  });
  vcpu.emulate(first ?? 0n);
  return "skip";
}

function emulateWrite(vcpu: Vcpu, exit: Exit, record: ExitedRecord): Answer {
  eachMmio(vcpu, exit, record, ({ device }, offset, bytes) => {
    device.write?.(offset, bytes, BigInt.asUintN(8 * bytes, exit.value));
  });
  return "skip";
}

type Region = NonNullable<ReturnType<Vcpu["vm"]["mmioAt"]>>;

/** One exit to user space for each eight bytes: the first has been charged as the exit it came with. */
function eachMmio(
  vcpu: Vcpu,
  exit: Exit,
  record: ExitedRecord,
  access: (region: Region, offset: number, bytes: number) => void,
): void {
  const { vm } = vcpu;
  const { base, bytes } = rangeOf(exit, record);
  for (let at = base; at < base + bytes; at += MMIO_BYTES) {
    const region = vm.mmioAt(at);
    if (region === undefined) inject(vcpu, exit, "external");
    vm.statistics.exits.mmio++;
    vm.hypervisor.cores.asHost(vcpu.core, (records) => {
      if (at > base) records.charge("entry").charge("exit");
      records.charge("mmioExit");
    });
    access(region as Region, at - (region as Region).base, Math.min(MMIO_BYTES, base + bytes - at));
  }
}

/** The guest's kernel gets it: as the architecture reports it, or as the external abort that KVM makes of it. */
function inject(vcpu: Vcpu, exit: Exit, type: Exit["type"] = exit.type): never {
  vcpu.vm.statistics.exits["injected fault"]++;
  throw new GuestFault({ ...exit, type, target: 1 });
}
