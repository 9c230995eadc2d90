/** Random machines are so small that few have set groups (R49): here they get some, and streams get lines in several of them. */
import { operationOf, type RecordEntry } from "../../src/engine/record.ts";
import type { ResolvedMachine } from "../../src/machine/resolved.ts";
import type { CacheSpec, MachineSpec } from "./machines.ts";
import type { Draw } from "./random-machine.ts";

const DEFAULT_LINE = 64;

/** The machine with so many times the sets in every cache and directory that its blocks have `2 ** bits` groups. */
export function withGroups(spec: MachineSpec, bits: number): MachineSpec {
  const lists = [spec.l1i, spec.l1d].flatMap((each) => each ?? []).filter((each) => each !== null);
  const behind = [spec.outer, spec.memorySide].filter((each) => each !== undefined);
  const lines = [...lists, ...(spec.levels ?? []), ...behind].map(({ line }) => line ?? DEFAULT_LINE);
  const times = lines.length === 0 ? 1 : 2 ** bits * (Math.max(...lines) / Math.min(...lines));
  const wider = <T extends { readonly sets: number }>(each: T): T => ({ ...each, sets: each.sets * times });
  const first = (each: NonNullable<MachineSpec["l1d"]>): NonNullable<MachineSpec["l1d"]> =>
    Array.isArray(each) ? each.map((one: CacheSpec | null) => one && wider(one)) : wider(each as CacheSpec);
  return {
    ...spec,
    ...(spec.l1i ? { l1i: first(spec.l1i) } : {}),
    ...(spec.l1d ? { l1d: first(spec.l1d) } : {}),
    ...(spec.levels ? { levels: spec.levels.map(wider) } : {}),
    ...(spec.outer ? { outer: wider(spec.outer) } : {}),
    ...(spec.memorySide ? { memorySide: wider(spec.memorySide) } : {}),
    ...(spec.directory ? { directory: wider(spec.directory) } : {}),
  };
}

/** Moves half of the records into other groups, two to four of them, wherever they stay in their region. */
export function overGroups(
  draw: Draw,
  machine: ResolvedMachine,
  entries: readonly RecordEntry[],
  bits: number,
): RecordEntry[] {
  const groups = Array.from({ length: draw.int(2, 4) }, () => draw.int(0, 2 ** bits - 1));
  const mostBytes = Math.max(machine.largestLineBytes * 3, machine.zvaBytes);
  return entries.map((entry) => {
    if (operationOf(entry)?.operand !== "address" || draw.chance(50)) return entry;
    const operand = inOtherGroup(entry.operand, draw.pick(groups), machine.largestLineBytes);
    const region = machine.memory.find(({ base, sizeBytes }) => operand >= base && operand < base + sizeBytes);
    const stays =
      region !== undefined && entry.operand >= region.base && operand + mostBytes <= region.base + region.sizeBytes;
    return stays ? { ...entry, operand } : entry;
  });
}

/** Addresses have 48 bits: more than `^` keeps. */
function inOtherGroup(address: number, group: number, block: number): number {
  const low = address % 2 ** 24;
  return address - low + (low ^ (group * block));
}
