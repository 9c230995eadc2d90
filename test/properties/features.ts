/**
 * What random streams may contain, as a list of words. `SETWAY_FEATURES=basic,fetch` plays only those,
 * `SETWAY_FEATURES=-split,-outer` everything but those; each stream then takes a random half of what is allowed, so
 * that features meet in all combinations and a failure needs few of them.
 */
export const FEATURES = {
  basic: "loads and stores of Write-Back memory on cores with L1D and NINE unified caches (always on)",
  sizes: "sizes that cross lines, values",
  fetch: "L1I caches and fetches",
  coherentfetch: "IDC and DIC",
  speculation: "prefetches and evictions as events",
  prefetchers: "hardware prefetchers, and runs of accesses that they learn from",
  replacement: "tree-plru, fifo, random and srrip beside lru",
  hosts: "servers: private L1s and an L2 that includes the L1D, one last level a socket, all lru",
  shapes: "odd set counts, ways that are no powers of two, no L1D, no or three unified levels, cores that differ",
  mixedlines: "several line sizes in one machine",
  policies: "write-through caches; read-only and write-only allocation",
  inclusion: "inclusive and exclusive levels, writebackTouches",
  system: "system caches, levels that set/way does not reach",
  sockets: "two or three sockets",
  home: "a last level chosen by the address's home",
  regions: "several memory regions, some above 4 GiB",
  mmio: "device memory regions",
  control: "SCTLR writes and initial values",
  attributes: "accesses with Device, Non-cacheable and Write-Through attributes",
  nonshareable: "accesses and maintenance with the Non-shareable attribute",
  split: "inner and outer cacheability apart",
  nc: "ncLookup and ncSnoops",
  atomics: "atomics",
  barriers: "barriers, TLB and branch predictor invalidation, and costs, without any maintenance",
  zeroing: "DC ZVA",
  maintenance: "maintenance by VA, instruction cache maintenance, DC ZVA, barriers",
  setway: "maintenance by set/way, whole loops, migration, invalidateCleans",
  devices: "coherent and non-coherent device masters",
  outer: "an outer cache and its operations",
  memoryside: "memory-side caches",
  directory: "sized directories",
  assign: "pages that change owner",
  translation: "guests with translation tables, TLBs, traps and a hypervisor",
  errors: "records that cannot be played",
  provenance: "traces that recorded less than everything",
} as const;

export type Feature = keyof typeof FEATURES;
export const ALL_FEATURES = Object.keys(FEATURES) as Feature[];

/** The features that `SETWAY_FEATURES` allows; everything where it is not set. Throws on an unknown word. */
export function allowedFeatures(setting: string | undefined = process.env.SETWAY_FEATURES): Set<Feature> {
  const words = (setting ?? "").split(",").filter((word) => word !== "");
  const feature = (word: string): Feature => {
    if (!(word in FEATURES))
      throw new Error(`SETWAY_FEATURES: no feature ${word}; there are ${ALL_FEATURES.join(", ")}`);
    return word as Feature;
  };
  const named = words.filter((word) => !word.startsWith("-")).map(feature);
  const banned = words.filter((word) => word.startsWith("-")).map((word) => feature(word.slice(1)));
  const allowed = new Set<Feature>(named.length > 0 ? named : ALL_FEATURES);
  for (const word of banned) allowed.delete(word);
  allowed.add("basic");
  return allowed;
}
