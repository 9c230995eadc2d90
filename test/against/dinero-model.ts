/**
 * What Dinero IV counts, written down once more from its documented semantics and with nothing of setway: write-back,
 * write-allocate, LRU caches with whole-line blocks. A miss first fetches from downstream and then writes its dirty
 * victim there; a written-back line that misses is allocated without a fetch; every reference touches; nothing is
 * ever taken away from an inner cache.
 */
export class DineroCache {
  readonly ways: number;
  readonly downstream: DineroCache | undefined;
  /** By set, the block numbers it holds, most recently used first. */
  readonly stacks: number[][];
  readonly dirty = new Set<number>();
  references = 0;
  misses = 0;
  copiesBack = 0;

  constructor(sizeBytes: number, ways: number, blockBytes: number, downstream?: DineroCache) {
    this.ways = ways;
    this.downstream = downstream;
    this.stacks = Array.from({ length: sizeBytes / blockBytes / ways }, () => []);
  }

  read(block: number): void {
    this.reference(block, false, true);
  }

  write(block: number): void {
    this.reference(block, true, true);
  }

  /** A whole line coming from an inner cache. */
  copyBack(block: number): void {
    this.reference(block, true, false);
  }

  private reference(block: number, write: boolean, fetches: boolean): void {
    this.references++;
    const stack = this.stacks[block % this.stacks.length] as number[];
    const at = stack.indexOf(block);
    if (at >= 0) stack.splice(at, 1);
    stack.unshift(block);
    const victim = stack.length > this.ways ? stack.pop() : undefined;
    if (at < 0) {
      this.misses++;
      if (fetches) this.downstream?.read(block);
    }
    if (victim !== undefined && this.dirty.delete(victim)) {
      this.copiesBack++;
      this.downstream?.copyBack(victim);
    }
    if (write) this.dirty.add(block);
  }
}
