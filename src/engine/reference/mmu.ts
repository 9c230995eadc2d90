/**
 * Translation as one core does it (D41 to D52): look the page up in its TLBs, else walk both stages, then check what the
 * access may do and combine the attributes. TLBs keep what tables said; enable bits are looked at anew for each access.
 */
import type { ResolvedMachine } from "../../machine/resolved.ts";
import { ATTRIBUTES, type AttributeCode, SCTLR_C, SCTLR_I, SCTLR_M } from "../operations.ts";
import { alignDown } from "./bits.ts";
import { ALL_ENABLED, type Context } from "./context.ts";
import { Fault } from "./faults.ts";
import type { Moment } from "./hazard-log.ts";
import {
  attributeCode,
  combineAttributes,
  flatMemoryType,
  isDevice,
  type MemoryType,
  stageOneAttributes,
} from "./memory-attributes.ts";
import { checkStageOne, checkStageTwo, type Purpose } from "./permissions.ts";
import { walkShortDescriptors } from "./short-descriptors.ts";
import { StageOneTableReader, walkLongDescriptors } from "./stage-one.ts";
import { StageTwo, type Walker } from "./stage-two.ts";
import type { TableReader } from "./table-reader.ts";
import type { Tally } from "./tally.ts";
import { type PageEntry, type PageQuery, type Side, type StageTwoLeaf, Tlbs } from "./tlb.ts";
import { invalidationOf } from "./tlb-invalidation.ts";

/** Upper addresses have this bit in queries. */
const UPPER = 2 ** 48;

export interface Request {
  readonly moment: Moment;
  readonly purpose: Purpose;
  /** VA, bits 47:0. */
  readonly address: number;
  readonly upper: boolean;
  /** What `WITH` says, for flat stage 1. */
  readonly given: AttributeCode | undefined;
  /** Whether the record's own address isn't aligned to its size (D48). */
  readonly unaligned: boolean;
}

export interface Translation {
  readonly physical: number;
  readonly attribute: AttributeCode;
  /** Enable bits that D8 still has to look at: those of an L1I-only fetch, else all on (D44). */
  readonly sctlr: number;
  /** Of stage 1's leaf, -1 without one. */
  readonly level: number;
}

/** What both stages say of an address, without its checks. */
interface Resolved {
  readonly physical: number;
  readonly ipa: number;
  readonly entry: PageEntry | undefined;
}

export class Mmu {
  /** By core. */
  readonly contexts: readonly Context[];
  readonly tlbs: readonly Tlbs[];
  private readonly stageOneTables: StageOneTableReader;
  private readonly stageTwo: StageTwo;
  private readonly tally: Tally;

  constructor(machine: ResolvedMachine, contexts: readonly Context[], reader: TableReader, tally: Tally) {
    this.contexts = contexts;
    this.tlbs = machine.cores.map(() => new Tlbs(machine.tlb));
    this.stageTwo = new StageTwo(reader);
    this.stageOneTables = new StageOneTableReader(reader, this.stageTwo);
    this.tally = tally;
  }

  /** Throws a `Fault` where the access may not be made. */
  translate(request: Request): Translation {
    const walker = this.walkerOf(request.moment);
    const { context } = walker;
    const { purpose } = request;
    const isFetch = purpose === "fetch";
    const resolved = this.resolve(walker, request);
    const { entry, ipa, physical } = resolved;
    const stageOne = entry?.stageOne;
    const level = stageOne?.level ?? -1;

    const type = this.stageOneType(context, request, entry);
    const isUnaligned = request.unaligned || purpose === "zero";
    if (isDevice(type.attr) && isUnaligned) throw new Fault({ type: "alignment", stage: 1, level });
    if (stageOne) checkStageOne(context, stageOne, purpose);

    const stageTwo = entry?.stageTwo;
    if (!stageTwo) {
      // Stage 1 off and nothing after it: a fetch with caches on allocates in L1I only (D8, D44).
      const isL1iOnly = isFetch && context.stageOneIsOff && (context.sctlr & SCTLR_I) !== 0;
      return { physical, attribute: attributeCode(type), sctlr: isL1iOnly ? SCTLR_I : ALL_ENABLED, level };
    }
    const combined = combine(context, isFetch, type, stageTwo);
    if (isDevice(combined.attr) && !isDevice(type.attr) && isUnaligned) {
      throw new Fault({ type: "alignment", stage: 2, level: stageTwo.level, ipa });
    }
    checkStageTwo(context, stageTwo, purpose, ipa);
    return { physical, attribute: attributeCode(combined), sctlr: ALL_ENABLED, level };
  }

  /** D53. Gives whether there is such a kind. */
  invalidate(core: number, kind: number, innerShareable: boolean, xt: bigint): boolean {
    const context = this.contextOf(core);
    const invalidation = invalidationOf(kind, context, xt);
    if (!invalidation) return false;
    // HCR_EL2.FB makes the guest's local invalidations reach every core.
    const isBroadcast = innerShareable || (context.exceptionLevel < 2 && context.hcr("FB"));
    this.tlbs.forEach((tlbs, id) => {
      if (isBroadcast || id === core) tlbs.invalidate(invalidation);
    });
    this.tally.event("tlbi");
    return true;
  }

  contextOf(core: number): Context {
    const context = this.contexts[core];
    if (!context) throw new Error(`no core ${core}`);
    return context;
  }

  private walkerOf(moment: Moment): Walker {
    const tlbs = this.tlbs[moment.requester];
    if (!tlbs) throw new Error(`no core ${moment.requester}`);
    return { context: this.contextOf(moment.requester), tlbs, moment };
  }

  private resolve(walker: Walker, { address, upper, purpose }: Request): Resolved {
    const { context } = walker;
    const walks = context.stageOneWalks;
    if (!walks && !context.stageTwoIsOn) return { physical: address, ipa: address, entry: undefined };
    const query: PageQuery = {
      address: address + (upper ? UPPER : 0),
      vmid: context.vmid,
      asid: context.asid,
      kind: [context.aarch32 ? "AArch32" : "AArch64", walks && "walked", context.stageTwoIsOn && "staged"].join(" "),
    };
    const entry = this.entryFor(walker, query, purpose === "fetch" ? "instruction" : "data");
    const offset = query.address - entry.page;
    return { physical: entry.physical + offset, ipa: entry.ipa + offset, entry };
  }

  /** D52: micro TLB, main TLB, walk. What faults in the walk is not kept. */
  private entryFor(walker: Walker, query: PageQuery, side: Side): PageEntry {
    const { tlbs } = walker;
    tlbs.count("lookups");
    const inMicro = tlbs.findInMicro(side, query);
    if (inMicro) return inMicro;
    tlbs.count("microMisses");
    const inMain = tlbs.findInMain(query);
    if (inMain) {
      this.tally.event("tlb");
      tlbs.fillMicro(side, inMain);
      return inMain;
    }
    tlbs.count("mainMisses");
    const entry = this.walk(walker, query);
    tlbs.fillMain(entry);
    tlbs.fillMicro(side, entry);
    return entry;
  }

  private walk(walker: Walker, query: PageQuery): PageEntry {
    const { context } = walker;
    const flat = query.address % UPPER;
    const stageOne = !context.stageOneWalks
      ? undefined
      : context.usesShortDescriptors
        ? walkShortDescriptors(this.stageOneTables, walker, query)
        : walkLongDescriptors(this.stageOneTables, walker, query);
    const ipa = stageOne ? stageOne.address + (flat % 2 ** stageOne.sizeLog2) : flat;
    const stageTwo = context.stageTwoIsOn ? this.stageTwo.leafFor(walker, ipa, false) : undefined;
    const physical = stageTwo ? stageTwo.address + (ipa % 2 ** stageTwo.sizeLog2) : ipa;
    const sizeLog2 = Math.min(stageOne?.sizeLog2 ?? Infinity, stageTwo?.sizeLog2 ?? Infinity);
    return {
      page: alignDown(query.address, sizeLog2),
      sizeLog2,
      ipa: alignDown(ipa, sizeLog2),
      physical: alignDown(physical, sizeLog2),
      vmid: query.vmid,
      asid: stageOne && !stageOne.global ? query.asid : undefined,
      kind: query.kind,
      stageOne,
      stageTwo,
    };
  }

  /** D42. */
  private stageOneType(context: Context, { given, purpose }: Request, entry: PageEntry | undefined): MemoryType {
    const { attr, sh } = entry?.stageOne ?? flatMemoryType(given ?? ATTRIBUTES.WRITE_BACK.code);
    return stageOneAttributes({
      fetch: purpose === "fetch",
      m: (context.sctlr & SCTLR_M) !== 0,
      c: (context.sctlr & SCTLR_C) !== 0,
      i: (context.sctlr & SCTLR_I) !== 0,
      dc: context.hcr("DC"),
      tge: context.hcr("TGE"),
      s2On: context.stageTwoIsOn,
      attr,
      sh,
    });
  }
}

function combine(context: Context, fetch: boolean, type: MemoryType, { memAttr, sh }: StageTwoLeaf): MemoryType {
  return combineAttributes({
    fetch,
    s1Attr: type.attr,
    s1Sh: type.sh,
    s2MemAttr: memAttr,
    s2Sh: sh,
    fwb: context.hcr("FWB"),
    cd: context.hcr("CD"),
    id: context.hcr("ID"),
  });
}
