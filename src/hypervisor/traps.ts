/** Trapped instructions: what the era's policy does for set/way, for the registers of stage 1, for cache identification. */
import type { Exit } from "../engine/exit.ts";
import { OPERATIONS, SCTLR_C, SCTLR_M } from "../engine/operations.ts";
import { HCR, SYSTEM_REGISTERS, type SystemRegisterName } from "../engine/system-registers.ts";
import { flushCore } from "./cores.ts";
import type { Answer, ExitedRecord } from "./exits.ts";
import type { Vcpu } from "./vcpu.ts";

const SET_WAY: readonly number[] = [OPERATIONS.DC_ISW.code, OPERATIONS.DC_CSW.code, OPERATIONS.DC_CISW.code];
/** Traps that no policy here has use for; whoever sets them sees the exit, and the instruction runs. */
const OTHER_TRAPS = HCR.TPC | HCR.TPU | HCR.TTLB | HCR.TDZ | HCR.TRVM | HCR.TICAB | HCR.TOCU;

const REGISTER_NAMES = new Map<number, SystemRegisterName>(
  Object.entries(SYSTEM_REGISTERS).map(([name, { number }]) => [number, name as SystemRegisterName]),
);

export function handleTrap(vcpu: Vcpu, exit: Exit, record: ExitedRecord): Answer {
  const { exits } = vcpu.vm.statistics;
  if (SET_WAY.includes(exit.operation)) {
    exits["set/way"]++;
    trapSetWay(vcpu, exit);
    return "skip";
  }
  if (exit.operation === OPERATIONS.SCTLR.code) {
    exits["virtual-memory register"]++;
    writeRegister(vcpu, "SCTLR_EL1", BigInt(exit.operand));
    return "skip";
  }
  const name = REGISTER_NAMES.get(exit.operand);
  if (exit.operation === OPERATIONS.MSR.code && name !== undefined) {
    exits["virtual-memory register"]++;
    writeRegister(vcpu, name, exit.value);
    return "skip";
  }
  if (exit.operation === OPERATIONS.MRS.code && name !== undefined) {
    exits["cache identification"]++;
    vcpu.emulate(readRegister(vcpu, name));
    return "skip";
  }
  exits["other trap"]++;
  stepOver(vcpu, record);
  return "skip";
}

function trapSetWay(vcpu: Vcpu, exit: Exit): void {
  switch (vcpu.vm.hypervisor.policy.setWay) {
    case "local operation":
      operateLocally(vcpu, exit);
      break;
    case "flush by VA":
      flushByVa(vcpu);
      break;
    case "pass through":
    case "nothing":
      break;
  }
}

/** Linux 3.9, access_dcsw(): every other core owes a flush; one that the virtual CPU has just come to is flushed whole. */
function operateLocally(vcpu: Vcpu, exit: Exit): void {
  const { cores, machine, policy } = vcpu.vm.hypervisor;
  for (const { id } of machine.cores) if (id !== vcpu.core) vcpu.owedFlushes.add(id);
  vcpu.owedFlushes.delete(vcpu.core);
  const moved = vcpu.lastSetWayCore !== -1 && vcpu.lastSetWayCore !== vcpu.core;
  vcpu.lastSetWayCore = vcpu.core;
  cores.asHost(vcpu.core, (records) => {
    if (moved && policy.does("flush after moving")) {
      flushCore(records, vcpu.engine, vcpu.core);
      vcpu.vm.statistics.coreFlushes++;
    } else {
      // Invalidating becomes cleaning and invalidating, as HCR_EL2.SWIO has it.
      records.operation(exit.operation === OPERATIONS.DC_CSW.code ? "DC_CSW" : "DC_CISW", exit.operand);
    }
  });
}

/** Linux 4.1, kvm_set_way_flush(): the first one flushes everything, then the caches going on or off is waited for. */
function flushByVa(vcpu: Vcpu): void {
  if (vcpu.tracksCaches) return;
  const { policy } = vcpu.vm.hypervisor;
  if (policy.does("flush at first set/way")) flushVm(vcpu, "set/way trapped");
  vcpu.tracksCaches = true;
  if (policy.does("virtual-memory trap")) vcpu.hcr |= HCR.TVM;
}

/** Linux 4.1, access_vm_reg() and kvm_toggle_cache(): the value is written first, the flush comes second. */
function writeRegister(vcpu: Vcpu, name: SystemRegisterName, value: bigint): void {
  const { cores, policy } = vcpu.vm.hypervisor;
  const wasOn = vcpu.cachesOn;
  cores.asHost(vcpu.core, (records) => records.msr(name, value));
  if (policy.setWay !== "flush by VA") return;
  const isOn = name === "SCTLR_EL1" ? hasCachesOn(value) : wasOn;
  if (isOn !== wasOn && policy.does(isOn ? "flush at SCTLR on" : "flush at SCTLR off")) {
    flushVm(vcpu, isOn ? "caches on" : "caches off");
  }
  if (isOn) {
    vcpu.hcr &= ~HCR.TVM;
    vcpu.tracksCaches = false;
  }
}

function flushVm(vcpu: Vcpu, why: string): void {
  const { vm } = vcpu;
  vm.hypervisor.tell(vcpu, `${why}: the whole VM is cleaned and invalidated by VA`);
  vm.hypervisor.cores.asHost(vcpu.core, (records) => vm.stage2.flush(records), vm);
}

/** What the guest is told: of caches what its policy says, of anything else what the register holds. */
function readRegister(vcpu: Vcpu, name: SystemRegisterName): bigint {
  const { cores } = vcpu.vm.hypervisor;
  const { clidr, ctr, readCcsidr } = vcpu.cacheRegisters;
  switch (name) {
    case "CLIDR_EL1":
      return clidr;
    case "CTR_EL0":
      return ctr;
    case "CCSIDR_EL1":
      return readCcsidr(Number(cores.readRegister(vcpu.core, "CSSELR_EL1")));
    default:
      return cores.readRegister(vcpu.core, name);
  }
}

/** Runs one instruction in the guest with its trap off, as a debugger would. */
function stepOver(vcpu: Vcpu, { words }: ExitedRecord): void {
  const { hcr } = vcpu;
  vcpu.hcr = hcr & ~OTHER_TRAPS;
  vcpu.exiting = false;
  try {
    vcpu.execute(words.slice());
  } finally {
    vcpu.exiting = true;
    vcpu.vm.hypervisor.cores.asHost(vcpu.core, () => {});
    vcpu.hcr = hcr;
  }
}

/** SCTLR_EL1.M and C both set: vcpu_has_cache_enabled(). */
export const hasCachesOn = (sctlr: bigint): boolean => {
  const both = BigInt(SCTLR_M | SCTLR_C);
  return (sctlr & both) === both;
};
