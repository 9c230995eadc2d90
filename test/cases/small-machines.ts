/** The tiny machines that most cases share. Lines are 64 bytes; A to E are lines that meet in every single-set cache. */
import type { CacheSpec, LevelSpec, MachineSpec } from "../properties/machines.ts";

export const A = 0x0;
export const B = 0x40;
export const C = 0x80;
export const D = 0xc0;
export const E = 0x100;
/** The first line of the second socket's memory. */
export const FAR = 0x1_0000;

/** A single-set cache. */
export const oneSet = (ways: number, more: Partial<CacheSpec> = {}): CacheSpec => ({ sets: 1, ways, ...more });

/** A level with one set. */
export const level = (name: string, ways: number, more: Partial<LevelSpec> = {}): LevelSpec => ({
  level: name,
  per: "socket",
  sets: 1,
  ways,
  ...more,
});

/** One core, a two-way L1D and a four-way NINE L2. */
export const single: MachineSpec = { cores: 1, l1d: oneSet(2), levels: [level("L2", 4)] };

/** One core with both L1 caches and an L2. */
export const singleWithFetch: MachineSpec = { ...single, l1i: oneSet(2) };

/** Two cores with an L1D each and a NINE L2 for both. */
export const pair: MachineSpec = { cores: 2, l1d: oneSet(2), levels: [level("L2", 4)] };
export const pairMesi: MachineSpec = { ...pair, protocol: "mesi" };
export const pairWithFetch: MachineSpec = { ...pair, l1i: oneSet(2) };

/** A core in each of two sockets, an L2 and 64 KiB of memory in each. */
export const twoSockets: MachineSpec = {
  cores: 2,
  sockets: 2,
  l1d: oneSet(2),
  levels: [level("L2", 4)],
  memory: [
    { base: 0, size: FAR },
    { base: FAR, size: FAR, socket: 1 },
  ],
};

/** One core, L1D and L2 in CLIDR, a system cache as third level. */
export const withSystemCache: MachineSpec = {
  cores: 1,
  l1d: oneSet(2),
  levels: [level("L2", 4), level("L3", 8, { kind: "system" })],
};
