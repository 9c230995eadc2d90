/** The system registers of one core (D38), and what they say about how its accesses are translated. */
import { SCTLR_C, SCTLR_I, SCTLR_M } from "../operations.ts";
import {
  CONTEXT_AARCH32,
  CONTEXT_EL_MASK,
  CONTEXT_WALKS,
  HCR,
  SYSTEM_REGISTERS,
  type SystemRegister,
  type SystemRegisterName,
} from "../system-registers.ts";
import { bit, field } from "./bits.ts";

/** MMU, data and instruction caches on: what the hypervisor's own accesses see, and translated ones after D44. */
export const ALL_ENABLED = SCTLR_M | SCTLR_C | SCTLR_I;

const INITIAL_CONTEXT = 1n;
const VALUE_MASK = (1n << 64n) - 1n;

const BY_NUMBER: ReadonlyMap<number, SystemRegister> = new Map(
  Object.values(SYSTEM_REGISTERS).map((each) => [each.number, each]),
);

export function systemRegister(number: number): SystemRegister | undefined {
  return BY_NUMBER.get(number);
}

export class Context {
  private readonly values = new Map<number, bigint>();

  constructor(initialSctlr: number) {
    this.write(SYSTEM_REGISTERS.SCTLR_EL1, BigInt(initialSctlr));
    this.write(SYSTEM_REGISTERS.CONTEXT, INITIAL_CONTEXT);
  }

  read({ number }: SystemRegister): bigint {
    return this.values.get(number) ?? 0n;
  }

  write({ number }: SystemRegister, value: bigint): void {
    this.values.set(number, value & VALUE_MASK);
  }

  get(name: SystemRegisterName): bigint {
    return this.read(SYSTEM_REGISTERS[name]);
  }

  /** The enable bits that D8 looks at. */
  get sctlr(): number {
    return field(this.get("SCTLR_EL1"), 31, 0);
  }

  sctlrBit(index: number): boolean {
    return bit(this.get("SCTLR_EL1"), index);
  }

  hcr(name: keyof typeof HCR): boolean {
    return (this.get("HCR_EL2") & HCR[name]) !== 0n;
  }

  get exceptionLevel(): number {
    return field(this.get("CONTEXT"), 31, 0) & CONTEXT_EL_MASK;
  }

  get aarch32(): boolean {
    return (this.get("CONTEXT") & BigInt(CONTEXT_AARCH32)) !== 0n;
  }

  /** D38. */
  get translates(): boolean {
    return this.exceptionLevel < 2 && (this.hasTables || this.hcr("VM") || this.hcr("DC") || this.hcr("TGE"));
  }

  /** D42: with stage 1 off the address is its own translation, and its attribute is fixed. */
  get stageOneIsOff(): boolean {
    return (this.sctlr & SCTLR_M) === 0 || this.hcr("DC") || this.hcr("TGE");
  }

  get stageOneWalks(): boolean {
    return this.hasTables && !this.stageOneIsOff;
  }

  get stageTwoIsOn(): boolean {
    return this.hcr("VM") || this.hcr("DC");
  }

  /** D47. */
  get vmid(): number {
    const has16Bits = bit(this.get("VTCR_EL2"), 19);
    return field(this.get("VTTBR_EL2"), has16Bits ? 63 : 55, 48);
  }

  /** TTBCR.EAE chooses the format of AArch32's tables (D46). */
  get usesShortDescriptors(): boolean {
    return this.aarch32 && !bit(this.get("TCR_EL1"), 31);
  }

  /** D45, D46. */
  get asid(): number {
    if (this.usesShortDescriptors) return field(this.get("CONTEXTIDR_EL1"), 7, 0);
    const tcr = this.get("TCR_EL1");
    const table = this.get(bit(tcr, 22) ? "TTBR1_EL1" : "TTBR0_EL1");
    return field(table, !this.aarch32 && bit(tcr, 36) ? 63 : 55, 48);
  }

  private get hasTables(): boolean {
    return (this.get("CONTEXT") & BigInt(CONTEXT_WALKS)) !== 0n;
  }
}
