/**
 * The one table behind `setway explain`: every rule of docs/semantics.md in a sentence or two, and every hazard class
 * with what usually causes it and what mends it. The rules themselves are in docs/semantics.md and decide.
 */
import { HAZARD_CLASSES, type HazardName } from "../engine/hazards.ts";

export interface Rule {
  readonly title: string;
  readonly text: string;
}

/** R1 to R50, in order. */
export const RULES: Readonly<Record<string, Rule>> = {
  R1: {
    title: "Line copy",
    text: "A cache holds copies of aligned lines, each Invalid, Shared, Exclusive, Owned or Modified. In a data-carrying machine every copy has bytes of its own, and only the transitions of these rules move them: a stale copy is really stale.",
  },
  R2: { title: "Memory", text: "RAM has its own bytes. Frames that nobody touched cost nothing and read as zero." },
  R3: {
    title: "Hierarchy",
    text: "A core has an L1I and an L1D; further levels are private or shared by cluster, socket or machine, and each cache names its parent. Size, ways, line, policies, inclusion, set/way reach and latency are the machine description's. A copy lost at an inclusive level is lost inside too.",
  },
  R4: {
    title: "Kinds of last level",
    text: "A system cache stands before the Point of Coherency: by-VA maintenance reaches it, set/way does not, and Non-cacheable accesses bypass it. A memory-side cache stands behind the PoC and nobody notices it. An outer cache (PL310) answers only to its own registers, by PA and by way, and starts disabled.",
  },
  R5: {
    title: "Registers",
    text: "CLIDR, CCSIDR, CSSELR, CTR and DCZID are computed from the machine description, PoU and PoC follow from the hierarchy. A level that set/way does not reach is not in CLIDR. What geometry cannot determine is given under `registers:`.",
  },
  R6: {
    title: "Replacement state is per set",
    text: "What happens in one set never depends on another, random generators included. Playing set groups apart therefore changes nothing.",
  },
  R7: {
    title: "Requesters",
    text: "Cores (data, fetch, table walker), coherent and non-coherent devices, and the hypervisor's and its user space's own mappings on the same cores.",
  },
  R8: {
    title: "Stage 1",
    text: "Attributes come from the tables. With SCTLR.M=0 data is Device, and fetches are Write-Through if SCTLR.I=1, else Non-cacheable. With M=1 and C=0, Normal data accesses become Non-cacheable; with I=0, fetches do.",
  },
  R9: {
    title: "Enable bits are overrides, not switches",
    text: "Clearing SCTLR.C or SCTLR.I changes the attribute of later accesses and nothing else. Dirty lines stay, may be evicted at any later time, answer snoops and respond to maintenance.",
  },
  R10: {
    title: "Stage 2",
    text: "Stage-1 and stage-2 attributes combine as Arm's pseudo-code says, FWB, CD and ID included. Nested walks are real: descriptor loads go through stage 2 and the caches.",
  },
  R11: {
    title: "Faults",
    text: "Translation, permission, address size and alignment faults, and accesses outside any memory, are reported with their place. Nothing is silently ignored.",
  },
  R12: {
    title: "Normal Write-Back",
    text: "Reads find the newest coherent copy and fill inwards; writes obtain the line exclusively and modify the L1D copy. Evicted dirty lines move outwards and in the end to memory.",
  },
  R13: {
    title: "Normal Write-Through",
    text: "Reads behave like Write-Back; what a store does is R43, and whether a machine caches Write-Through data at all is R34.",
  },
  R14: {
    title: "Non-cacheable and Device",
    text: "They bypass every cache before the PoC, neither allocate nor snoop. A machine may serve a hit all the same (`ncLookup`), or clean and invalidate cached copies first (`ncSnoops`), which is what code ported from x86 relies on.",
  },
  R15: {
    title: "Mixed inner and outer attributes",
    text: "With `cacheability: split`, inner attributes apply to the levels in CLIDR and outer ones to system caches.",
  },
  R16: { title: "Non-shareable cacheable", text: "Such accesses neither snoop nor invalidate others; see R42." },
  R17: {
    title: "Coherence",
    text: "For shareable cacheable accesses at most one core holds a line Modified or Exclusive, and it has one owner. Another core's read turns Modified into Owned (MESI: writes back, Shared); a write removes all other copies. Atomics need the line exclusively, and where memory is not cacheable and shareable they do what `ncAtomics` says.",
  },
  R18: {
    title: "Instruction side",
    text: "Data writes never change or remove instruction-cache copies, unless CTR_EL0.DIC is 1.",
  },
  R19: {
    title: "Speculation",
    text: "Any cacheable mapping may be prefetched and any line evicted at any time. Scenarios say so with explicit events; a replay does neither, unless the machine has a prefetcher.",
  },
  R20: {
    title: "Overwriting",
    text: "A writeback writes the whole line. Bytes that somebody changed underneath, past the caches, are lost, and that can be observed.",
  },
  R21: {
    title: "Maintenance by VA",
    text: "DC IVAC, CVAC, CIVAC, CVAU, CVAP and IC IVAU act on every cache up to their point, on all cores of the address's shareability domain, system caches included. They need a mapping and can fault.",
  },
  R22: {
    title: "Maintenance by set/way",
    text: "DC ISW, CSW and CISW act on the executing core's own path, on exactly the level, set and way of the operand. Dirty lines go to the next level, not to memory. A level that is not in CLIDR is never reached.",
  },
  R23: {
    title: "Instruction caches",
    text: "IC IALLU empties the core's own, IC IALLUIS everybody's, IC IVAU removes one line. There is no operation on a whole data cache.",
  },
  R24: {
    title: "Virtualization",
    text: "HCR_EL2 bits promote a guest's invalidates to clean and invalidates, or trap its maintenance to the hypervisor, which costs an exit.",
  },
  R25: {
    title: "Completion",
    text: "Maintenance is complete for others at the issuing core's next DSB, and for a core's fetches after its ISB. A replay completes at once, and reports where that hides a missing barrier.",
  },
  R26: {
    title: "Stale observations",
    text: "Somebody (a load, a fetch, a device, a table walk) got an older value than the newest write.",
  },
  R27: {
    title: "Lost writes",
    text: "The newest value was overwritten by a writeback or discarded by an invalidate, and exists nowhere. It harms nobody until the location is read again.",
  },
  R28: { title: "Leaks", text: "A guest saw bytes that belonged to somebody else before the page was given to it." },
  R29: {
    title: "Latent hazards",
    text: "Nothing has gone wrong yet, but software relied on luck: mismatched attributes, set/way with other cores about, or short of the PoC, or migrated half-way, and maintenance without its barrier.",
  },
  R30: {
    title: "Every hazard explains itself",
    text: "Who wrote the newest value, at which record and with which attribute; where it is; which path the observer took; and which operation between the two would have made it right.",
  },
  R31: {
    title: "Latencies",
    text: "Cycles for hits by level, snoops within and across sockets, memory near and far, writebacks, maintenance, barriers, exits. A preset names the source of its numbers or calls them assumptions.",
  },
  R32: {
    title: "Costs add up",
    text: "Costs are integers, by core and cause, and additive: any split of the work gives the same sum.",
  },
  R33: {
    title: "Who supplies",
    text: "The core's own L1D first. At each outer level the other child subtrees are asked before the level's own bytes are used: an owner there supplies. Then the level's copy, other sockets, memory. A store removes every other copy except older ones on its own path.",
  },
  R34: {
    title: "cacheability: wb-only",
    text: "The default: for data, anything but inner and outer Write-Back is Non-cacheable. Fetches with translation off and SCTLR.I=1 allocate in the L1I only, and their misses read memory without looking into unified or system caches.",
  },
  R35: {
    title: "Fetch",
    text: "First the L1I, then the level of the Point of Unification. The core's data caches inside that level are not asked, unless IDC says so. Beyond the PoU a fetch miss is an ordinary coherent read.",
  },
  R36: {
    title: "One miss, in order",
    text: "The outer level evicts its victim, removing inner copies and merging their dirty bytes; the request goes outwards; the outer level fills; then the L1 victim is evicted and written back, and the L1 fills. Snoops and maintenance never touch replacement state.",
  },
  R37: {
    title: "Counters",
    text: "Accesses are hits plus misses and count demand only: loads, stores, fetches, walks. Writebacks, maintenance, snoops, upgrades and back-invalidations are counted apart.",
  },
  R38: {
    title: "Yardstick view",
    text: "How to compare with the yardstick program, whose directory bits are sticky and whose counters mean slightly different things. The model's own directory stays exact.",
  },
  R39: {
    title: "Victim",
    text: "The lowest-numbered invalid way; if there is none, the replacement policy decides. Random generators are per set, seeded, and step only when no way is invalid.",
  },
  R40: {
    title: "Set/way, exactly",
    text: "It acts on the instance on the executing core's path, whoever filled it. A clean sends this copy to the next level. Invalidating an inclusive copy removes inner copies too: CISW merges their newest bytes first, ISW drops them.",
  },
  R41: {
    title: "Exclusive levels",
    text: "A data fill moves line and dirtiness inwards, a fetch leaves it, victims move outwards, clean or dirty.",
  },
  R42: {
    title: "Non-shareable",
    text: "Such copies are not kept coherent by their own accesses, though later shareable snoops hit them. Several modified copies may exist, and the last writeback wins.",
  },
  R43: {
    title: "Write-Through store",
    text: "Removes other cores' copies, updates its own path's, and writes just its bytes to memory, or with outer Write-Back to the system cache.",
  },
  R44: {
    title: "Records without size or value",
    text: "They cover the aligned 8 bytes; a store writes its record number plus one.",
  },
  R45: {
    title: "Hazard identity",
    text: "Class, line, newest write and observer: reported once, with occurrences. A tags-only machine has no bytes to compare and counts possible hazards by line instead.",
  },
  R46: {
    title: "Devices",
    text: "A coherent device snoops caches and allocates nothing on reads; its writes remove copies and land in the system cache or memory. A non-coherent device sees memory and never the caches.",
  },
  R47: {
    title: "Walks and reordering",
    text: "A table walk can depend on cache contents, so what waits to be played is played first wherever the walked line is not provably coherent.",
  },
  R48: {
    title: "Provenance",
    text: "A trace says what was recorded. A hazard that cannot be told without something the trace lacks is reported once as not assessable, and never as found.",
  },
  R49: {
    title: "Set groups",
    text: "Lines that differ in the index bits common to every cache and directory never meet, so they can be played apart. Whatever is global is handled before that.",
  },
  R50: {
    title: "By VA, exactly",
    text: "The innermost dirty bytes win. CVAU cleans every core's data caches of the domain to that core's own PoU level. A smaller line covers its part; a writeback into a larger line merges.",
  },
};

/** What usually causes a class, and what mends it. The sentence that defines it is in the table of hazard classes. */
export const HAZARD_TEXTS: Readonly<Record<HazardName, { readonly cause: string; readonly remedy: string }>> = {
  "stale-read": {
    cause:
      "Typically the caches were turned off (or the mapping is uncached) while the newest bytes were still in a cache, often in a system cache that set/way operations do not reach; or an uncached write went under a cached copy that is then hit.",
    remedy:
      "Clean by VA to the Point of Coherency (DC CVAC or DC CIVAC over the range, DSB) before the uncached reads; invalidate (DC IVAC) before cached reads of what was written past the caches.",
  },
  "stale-fetch": {
    cause:
      "Code was written as data and then executed, without taking it from the data side to the instruction side: it is in a data cache that fetches do not ask, or the instruction cache has the old line.",
    remedy:
      "DC CVAU, DSB, IC IVAU, DSB, and ISB on every core that will execute it. Clean to the PoC instead if fetches are uncached or the MMU is off.",
  },
  "stale-dma": {
    cause:
      "A non-coherent device read memory while the driver's bytes were still in a cache; usually a missing dma_map or dma_sync, or a device tree that calls a device coherent that isn't.",
    remedy: "DC CVAC over the buffer and DSB before the device is told to read; or the right dma-coherent property.",
  },
  "stale-walk": {
    cause: "A translation table was written through the cache and walked past it, or the other way round.",
    remedy: "Clean the descriptors by VA to where the walker looks (its TCR attributes), DSB, then TLBI.",
  },
  "lost-write": {
    cause:
      "An invalidate without clean (DC IVAC, DC ISW) dropped dirty bytes, or an old dirty line was evicted over something that had been written past the caches.",
    remedy:
      "Clean and invalidate instead of invalidate; clean and invalidate before writing past the caches. A loss of dead data is harmless: nobody reads it again.",
  },
  leak: {
    cause:
      "A page went to a new owner whose accesses pass the caches while the zeroes that should hide the old contents were still in one.",
    remedy:
      "Clean and invalidate the page by VA after zeroing it and before mapping it; on hardware with FWB force the guest's mapping cacheable.",
  },
  "mismatched-attributes": {
    cause:
      "The same line was accessed uncached while a cache holds a copy, from an earlier time or through another mapping.",
    remedy:
      "Clean and invalidate by VA when attributes change, and use one set of attributes for all mappings at a time.",
  },
  "set/way-while-shared": {
    cause:
      "Set/way operations act on one core's caches only; while other cores can hold or take lines, no loop of them empties anything.",
    remedy: "By VA. Set/way is for a core that leaves coherency, with everyone else's help or absence.",
  },
  "set/way-short-of-poc": {
    cause:
      "The loop covered everything that CLIDR lists, and the dirty lines it pushed out stopped in a system cache that CLIDR does not list.",
    remedy: "By VA, which reaches the PoC; 32-bit Linux does so in its decompressor since 5.7.",
  },
  "set/way-migrated": {
    cause: "The scheduler or hypervisor moved the software to another core in the middle of a loop.",
    remedy:
      "Trap set/way in the hypervisor (HCR_EL2.TSW) and flush by VA instead, as KVM does; or keep the loop on its core.",
  },
  "maintenance-pending": {
    cause:
      "An access, on another core or by a device or a fetch, relied on maintenance that the issuing core had not completed with DSB, or came before the ISB of the fetching core.",
    remedy: "DSB after the maintenance, before telling anybody; ISB before executing what it covered.",
  },
};

/** Every word that `setway explain` knows: hazard classes, then rules. */
export const EXPLAINABLE: readonly string[] = [...HAZARD_CLASSES.map(({ name }) => name), ...Object.keys(RULES)];
