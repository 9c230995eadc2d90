// Maintenance that no barrier has completed (D34): which batch named each block last, by data and by instruction operations.
// Whole ranges are maintained at a time, so stamps are kept by page, and only a page whose blocks differ keeps them apart.

import { isAssessed, latent, record } from "./hazard";
import { allocate, C_BATCH, C_LAST_ISB, coreAt, largestShift } from "./layout";
import { who } from "./memory";
import { HAZARD_MAINTENANCE_PENDING } from "./operations";

/** Batches: done record (i64, -1 while open) and issuer. The ring forgets batches older than its length, as done and synchronized. */
const BATCHES: u32 = 1 << 18;
let batches: usize = 0;
let batchCount: u32 = 0;

/** Whether anybody is told: nothing of all this is kept otherwise. */
export function tellsPending(): bool {
  return isAssessed(HAZARD_MAINTENANCE_PENDING);
}

/**
 * Whether an access may rely on maintenance that isn't complete for it. That of data is complete once everybody's batches are closed;
 * that of instructions isn't, for a core that has had no ISB since.
 */
export let pendable: bool = false;
let openBatches: u32 = 0;
let ofInstructions: bool = false;

function batchAt(number: u32): usize {
  return batches + <usize>(number & (BATCHES - 1)) * 16;
}

function remembered(number: u32): bool {
  return number != 0 && batchCount - number < BATCHES;
}

/** The issuer's open batch; made if it has none. */
function openBatch(): u32 {
  if (!batches) batches = allocate(<usize>BATCHES * 16);
  const c = coreAt(who);
  let batch = load<u32>(c, C_BATCH);
  if (!batch) {
    batch = ++batchCount;
    openBatches++;
    pendable = true;
    store<u32>(c, batch, C_BATCH);
    store<i64>(batchAt(batch), -1);
    store<u32>(batchAt(batch), who, 8);
  }
  return batch;
}

// ---- pages: a directory of tables, each with the entries of 2 MiB. Flushes go upwards, so entries that follow each other do too.
const PAGE_SHIFT: u32 = 12;
const TABLE_SHIFT: u32 = 9;
/** Compact addresses have 38 bits. */
const TABLES: u32 = 1 << (38 - PAGE_SHIFT - TABLE_SHIFT);
const ENTRY_SHIFT: usize = 4;
/** Data and instruction batch of all a page's blocks; or the address of its blocks' own (8 bytes each). */
const DATA: usize = 0;
const INSTRUCTIONS: usize = 4;
const BLOCKS: usize = 8;
let tables: usize = 0;
/** Blocks' stamps that a page no longer needs, linked by their first word. */
let spare: usize = 0;

function blocksOfPage(): u32 {
  return (<u32>1) << (PAGE_SHIFT - largestShift);
}

function entryIn(table: usize, page: u32): usize {
  return table + ((<usize>(page & ((1 << TABLE_SHIFT) - 1))) << ENTRY_SHIFT);
}

/** Entry of a page; made if it has none. */
function entryOf(page: u32): usize {
  if (!tables) tables = allocate((<usize>TABLES) << 2);
  const slot = tables + ((<usize>(page >> TABLE_SHIFT)) << 2);
  let table = <usize>load<u32>(slot);
  if (!table) {
    table = allocate((<usize>1) << (TABLE_SHIFT + <u32>ENTRY_SHIFT), 64);
    store<u32>(slot, <u32>table);
  }
  return entryIn(table, page);
}

/** Gives a page's blocks stamps of their own. */
function spread(entry: usize): usize {
  const many = blocksOfPage();
  let blocks = spare;
  if (blocks) spare = <usize>load<u32>(blocks);
  else blocks = allocate((<usize>many) << 3);
  for (let i: u32 = 0; i < many; i++) {
    store<u32>(blocks + ((<usize>i) << 3), load<u32>(entry, DATA));
    store<u32>(blocks + ((<usize>i) << 3), load<u32>(entry, INSTRUCTIONS), 4);
  }
  store<u32>(entry, <u32>blocks, BLOCKS);
  return blocks;
}

/** Makes one of a page's blocks again, if they are all alike. */
function unite(entry: usize): void {
  const blocks = <usize>load<u32>(entry, BLOCKS);
  const many = blocksOfPage();
  const first = load<u64>(blocks);
  for (let i: u32 = 1; i < many; i++) if (load<u64>(blocks + ((<usize>i) << 3)) != first) return;
  store<u32>(entry, <u32>first, DATA);
  store<u32>(entry, <u32>(first >> 32), INSTRUCTIONS);
  store<u32>(entry, 0, BLOCKS);
  store<u32>(blocks, <u32>spare);
  spare = blocks;
}

/** A by-VA operation was issued, of whichever block: batches are numbered alike in all shards. */
export function noteMaintenance(): void {
  if (tellsPending()) openBatch();
}

/** A by-VA operation of the core named this block: instruction side or data side. */
export function stamp(compact: u64, instructions: bool): void {
  if (!tellsPending()) return;
  const batch = openBatch();
  if (instructions) ofInstructions = true;
  const entry = entryOf(<u32>(compact >> PAGE_SHIFT));
  let blocks = <usize>load<u32>(entry, BLOCKS);
  if (!blocks) {
    if (load<u32>(entry + (instructions ? INSTRUCTIONS : DATA)) == batch) return;
    blocks = spread(entry);
  }
  const last = blocksOfPage() - 1;
  const block = <u32>(compact >> largestShift) & last;
  store<u32>(blocks + ((<usize>block) << 3) + (instructions ? 4 : 0), batch);
  // Loops go upwards: behind the last block is the time to look.
  if (block == last) unite(entry);
}

/** DC by VA named every block of a page of 4 KiB. */
export function stampPage(compact: u64): void {
  if (!tellsPending()) return;
  const batch = openBatch();
  const entry = entryOf(<u32>(compact >> PAGE_SHIFT));
  const blocks = <usize>load<u32>(entry, BLOCKS);
  if (!blocks) {
    store<u32>(entry, batch, DATA);
    return;
  }
  for (let i: u32 = 0; i < blocksOfPage(); i++) store<u32>(blocks + ((<usize>i) << 3), batch);
  unite(entry);
}

/** DSB: the issuer's maintenance is complete. */
export function completeMaintenance(core: u32): void {
  const batch = load<u32>(coreAt(core), C_BATCH);
  if (!batch) return;
  store<i64>(batchAt(batch), <i64>record);
  store<u32>(coreAt(core), 0, C_BATCH);
  openBatches--;
  pendable = ofInstructions || openBatches > 0;
}

export function synchronizeContext(core: u32): void {
  store<i64>(coreAt(core), <i64>record, C_LAST_ISB);
}

/** An access that isn't an L1 hit: does it rely on maintenance that isn't complete for it? */
export function checkPending(compact: u64, isFetch: bool): void {
  // A shard may have heard of maintenance in other groups only.
  if (!pendable || !tables) return;
  const page = <u32>(compact >> PAGE_SHIFT);
  const table = <usize>load<u32>(tables + ((<usize>(page >> TABLE_SHIFT)) << 2));
  if (!table) return;
  const entry = entryIn(table, page);
  let data = load<u32>(entry, DATA);
  let instructions = load<u32>(entry, INSTRUCTIONS);
  const blocks = <usize>load<u32>(entry, BLOCKS);
  if (blocks) {
    const own = blocks + ((<usize>(<u32>(compact >> largestShift) & (blocksOfPage() - 1))) << 3);
    data = load<u32>(own);
    instructions = load<u32>(own, 4);
  }
  let pending = false;
  if (remembered(data)) pending = load<u32>(batchAt(data), 8) != who && load<i64>(batchAt(data)) < 0;
  if (!pending && isFetch && remembered(instructions)) {
    const done = load<i64>(batchAt(instructions));
    pending = done < 0 || load<i64>(coreAt(who), C_LAST_ISB) < done;
  }
  if (pending) latent(HAZARD_MAINTENANCE_PENDING, compact, true);
}
