/**
 * A write-back, write-allocate LRU cache with a prefetcher before memory, written once more from docs/machines.md and with
 * nothing of setway: what the prefetcher wants is worked out from all that it has learnt of a page, each time anew.
 */
export interface PrefetchModel {
  readonly kind: "next-line" | "stride" | "stream";
  readonly degree: number;
  readonly distance: number;
  readonly entries: number;
}

interface Held {
  readonly line: number;
  dirty: boolean;
  untouched: boolean;
}

const LINES_A_PAGE = 64;

export class PrefetchedCache {
  readonly counts = {
    loads: 0,
    stores: 0,
    loadMisses: 0,
    storeMisses: 0,
    evictions: 0,
    writebacksOut: 0,
    prefetches: 0,
    prefetchesUsed: 0,
    prefetchesUnused: 0,
  };
  reads = 0;
  private readonly sets: Held[][];
  private readonly ways: number;
  private readonly model: PrefetchModel;
  /** Lines learnt in a page, oldest first, without repetitions; the page that was learnt from last is at the end. */
  private readonly learnt: { page: number; lines: number[] }[] = [];

  constructor(sets: number, ways: number, model: PrefetchModel) {
    this.sets = Array.from({ length: sets }, () => []);
    this.ways = ways;
    this.model = model;
  }

  access(line: number, isStore: boolean): void {
    this.counts[isStore ? "stores" : "loads"]++;
    const set = this.setOf(line);
    const at = set.findIndex((each) => each.line === line);
    const [hit] = at < 0 ? [] : set.splice(at, 1);
    const isNews = hit === undefined || hit.untouched;
    if (hit === undefined) {
      this.counts[isStore ? "storeMisses" : "loadMisses"]++;
      this.bring({ line, dirty: isStore, untouched: false });
    } else {
      if (hit.untouched) this.counts.prefetchesUsed++;
      set.push({ line, dirty: hit.dirty || isStore, untouched: false });
    }
    if (!isNews) return;
    for (const wanted of this.wanted(line)) {
      if (Math.floor(wanted / LINES_A_PAGE) !== Math.floor(line / LINES_A_PAGE)) continue;
      if (this.setOf(wanted).some((each) => each.line === wanted)) continue;
      this.counts.prefetches++;
      this.bring({ line: wanted, dirty: false, untouched: true });
    }
  }

  private setOf(line: number): Held[] {
    return this.sets[line % this.sets.length] as Held[];
  }

  private bring(held: Held): void {
    this.reads++;
    const set = this.setOf(held.line);
    if (set.length === this.ways) {
      const victim = set.shift() as Held;
      this.counts.evictions++;
      if (victim.dirty) this.counts.writebacksOut++;
      if (victim.untouched) this.counts.prefetchesUnused++;
    }
    set.push(held);
  }

  private wanted(line: number): number[] {
    const { kind, degree, distance } = this.model;
    if (kind === "next-line") return Array.from({ length: degree }, (_, i) => line + distance + i);
    const lines = this.learn(line);
    if (lines === undefined) return [];
    if (kind === "stream") return afterStream(lines, degree, distance);
    const [before, last, now] = lines.slice(-3) as [number, number, number | undefined];
    if (now === undefined || now - last !== last - before) return [];
    return Array.from({ length: degree }, (_, i) => now + (now - last) * (distance + i));
  }

  /** What has been learnt of the line's page with it; undefined if it says nothing new. */
  private learn(line: number): readonly number[] | undefined {
    const page = Math.floor(line / LINES_A_PAGE);
    const at = this.learnt.findIndex((each) => each.page === page);
    if (at < 0) {
      if (this.learnt.length === this.model.entries) this.learnt.shift();
      this.learnt.push({ page, lines: [line] });
      return undefined;
    }
    const [known] = this.learnt.splice(at, 1) as [{ page: number; lines: number[] }];
    this.learnt.push(known);
    if (known.lines.at(-1) === line) return undefined;
    known.lines.push(line);
    return known.lines;
  }
}

/** Follows a page's lines from where their direction last changed; gives what the last of them makes a stream want. */
function afterStream(lines: readonly number[], degree: number, distance: number): number[] {
  const signs = lines.slice(1).map((line, i) => Math.sign(line - (lines[i] as number)));
  const sign = signs.at(-1) as number;
  const turned = signs.lastIndexOf(-sign) + 1;
  const run = lines.slice(turned + 1);
  const page = Math.floor((run[0] as number) / LINES_A_PAGE);
  // Lines as so many steps in the direction: always upwards then.
  let front = (run[0] as number) * sign;
  let wanted: number[] = [];
  for (const line of run.slice(1)) {
    front = Math.max(front, line * sign);
    const last = Math.min(front + degree, line * sign + distance);
    wanted = [];
    for (; front < last && Math.floor(((front + 1) * sign) / LINES_A_PAGE) === page; wanted.push(front * sign)) front++;
  }
  return wanted;
}
