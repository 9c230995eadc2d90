/**
 * A loop over sets and ways on core 0, as pictures of what its caches hold: first a block of memory is written, then the
 * routine runs with the operands that the machine's own registers give.
 */
import { BareCpu } from "../../src/cpu/bare.ts";
import type { Copy } from "../../src/engine/engine.ts";
import { createKernel, type Kernel } from "../../src/engine/kernel.ts";
import { OPERATIONS } from "../../src/engine/operations.ts";
import { encodeRecords, type RecordEntry } from "../../src/engine/record.ts";
import { totalCycles } from "../../src/machine/cycles.ts";
import { formatBytes } from "../../src/machine/quantity.ts";
import { coreRegisters } from "../../src/machine/registers.ts";
import type { Cache } from "../../src/machine/resolved.ts";
import { SET_WAY_ROUTINES, type SetWayRoutine } from "../../src/machine/setway.ts";
import { placeName } from "../../src/report/explain.ts";
import { stageMachine } from "../../src/scenario/stage.ts";
import type { Questions, Sweep, SweptCache } from "../protocol.ts";
import { machineNamed } from "./catalogue.ts";

/** Pictures of one loop. */
const FRAMES = 64;
/** Sets side by side in a picture; with more, neighbours share a column. */
const COLUMNS = 512;
/** Where the block that is written begins. */
const FOOTPRINT_OFFSET = 0x10_0000;

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] extends readonly (infer Item)[] ? Item[] : T[Key] };

export function sweep({ machine: name, routine, footprint }: Questions["sweep"]["question"]): Sweep {
  // Only core 0 does anything.
  const machine = stageMachine(machineNamed(name), {}, [], { leaveOutIdle: true });
  const loop =
    (SET_WAY_ROUTINES as Readonly<Record<string, SetWayRoutine>>)[routine] ?? SET_WAY_ROUTINES.flushDcacheAll;
  const kernel = createKernel(machine);
  const region = machine.memory.find(({ type }) => type === "ram");
  const base = (region?.base ?? 0) + FOOTPRINT_OFFSET;
  const bytes = Math.min(footprint, (region?.sizeBytes ?? 0) / 2);
  new BareCpu(kernel, 0).fill(base, bytes, 0n);
  const lines = Array.from({ length: Math.floor(bytes / machine.smallestLineBytes) }, (_, index) => ({
    address: base + index * machine.smallestLineBytes,
    settled: undefined as readonly Copy[] | undefined,
  }));
  const caches = machine.caches
    .filter(({ cores, holds }) => cores.includes(0) && holds !== "instructions")
    .map((cache) => ({ cache, swept: sweptCache(cache, machine) }));

  const operands = [...loop.operands(coreRegisters(machine, 0))];
  const perFrame = Math.max(1, Math.ceil(operands.length / FRAMES));
  const before = totalCycles(machine, kernel.counters()).total;
  const frames = { operations: [0], operands: [""], dirtyInMemoryPath: [] as number[] };
  const look = () => {
    picture(kernel, lines, caches);
    frames.dirtyInMemoryPath.push(kernel.dirtyLines().reduce((sum, dirty) => sum + dirty, 0));
  };
  look();
  for (let done = 0; done < operands.length; done += perFrame) {
    const part = operands.slice(done, done + perFrame);
    kernel.play(encodeRecords(part.map((operand) => operationOf(loop, operand))));
    frames.operations.push(done + part.length);
    frames.operands.push(operandText(loop, part.at(-1) ?? 0, machine.caches));
    look();
  }
  return {
    caches: caches.map(({ swept }) => swept),
    ...frames,
    totalOperations: operands.length,
    lines: lines.length,
    cycles: totalCycles(machine, kernel.counters()).total - before,
  };
}

const operationOf = ({ operation }: SetWayRoutine, operand: number): RecordEntry => ({
  code: OPERATIONS[operation].code,
  requester: 0,
  operand,
});

function sweptCache(cache: Cache, machine: Parameters<typeof placeName>[1]): Mutable<SweptCache> {
  return {
    label: placeName({ cache: cache.id }, machine),
    size: formatBytes(cache.sets * cache.ways * cache.lineBytes),
    sets: cache.sets,
    columns: Math.min(cache.sets, COLUMNS),
    ways: cache.ways,
    kind: cache.kind,
    isReached: cache.setWay,
    cells: [],
    dirty: [],
  };
}

interface SweptLine {
  readonly address: number;
  /** Its copies, once they are where no set/way operation comes. */
  settled: readonly Copy[] | undefined;
}

/** Adds what every cache holds of the lines: in each cell the worst of what shares it. */
function picture(
  kernel: Kernel,
  lines: readonly SweptLine[],
  caches: readonly { readonly cache: Cache; readonly swept: Mutable<SweptCache> }[],
): void {
  const cells = new Map(caches.map(({ cache, swept }) => [cache.id, new Uint8Array(swept.columns * cache.ways)]));
  const columns = new Map(caches.map(({ cache, swept }) => [cache.id, swept.columns]));
  for (const line of lines) {
    const copies = line.settled ?? kernel.copies(line.address);
    if (copies.every(({ cache }) => !kernel.machine.caches[cache]?.setWay)) line.settled = copies;
    for (const { cache: id, set, way, state } of copies) {
      const mine = cells.get(id);
      const { ways, sets } = kernel.machine.caches[id] as Cache;
      if (mine === undefined) continue;
      const cell = Math.floor((set * (columns.get(id) ?? 0)) / sets) * ways + way;
      mine[cell] = Math.max(mine[cell] ?? 0, state === "M" || state === "O" ? 2 : 1);
    }
  }
  const dirty = kernel.dirtyLines();
  for (const { cache, swept } of caches) {
    swept.cells.push(cells.get(cache.id) as Uint8Array);
    swept.dirty.push(dirty[cache.id] ?? 0);
  }
}

/** `L2 set 12, way 3`: the operand as the cache of its level takes it apart (D28). */
function operandText({ operation }: SetWayRoutine, operand: number, caches: readonly Cache[]): string {
  const depth = ((operand >> 1) & 7) + 1;
  const cache = caches.find((each) => each.depth === depth && each.cores.includes(0) && each.holds !== "instructions");
  if (cache === undefined) return "";
  const way = cache.ways === 1 ? 0 : operand >>> (32 - Math.ceil(Math.log2(cache.ways)));
  const set = Math.floor(operand / cache.lineBytes) % cache.sets;
  return `${OPERATIONS[operation].name} ${cache.level}, set ${set}, way ${way}`;
}
