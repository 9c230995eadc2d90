/**
 * What a hardware prefetcher learns and asks for (D57, D59). It sees lines that were missed, or found where it had put them,
 * and nothing else: no program counter, no value. It brings nothing in itself; coherence does (D60).
 */
import type { Prefetcher as Description } from "../../machine/resolved.ts";

/** Translations differ from page to page, so nothing is guessed beyond one. */
const PAGE_BYTES = 4096;

/** What is known of a page. Lines are numbers of the cache's lines. */
interface Page {
  last: number;
  /** Of `stride`: the last step, and whether the one before it was the same. */
  step: number;
  isSteady: boolean;
  /** Of `stream`: 1 upwards, -1 downwards, 0 unknown; and the farthest line that was asked for. */
  direction: number;
  front: number;
}

export class Prefetcher {
  private readonly description: Description;
  private readonly lineBytes: number;
  /** By number, the least recently used first. */
  private readonly pages = new Map<number, Page>();

  constructor(description: Description, lineBytes: number) {
    this.description = description;
    this.lineBytes = lineBytes;
  }

  /** Learns from the line around an address; the addresses of lines that it then wants, in order. */
  train(address: number): number[] {
    const line = Math.floor(address / this.lineBytes);
    const page = Math.floor(address / PAGE_BYTES);
    return this.linesAfter(line, page)
      .map((each) => each * this.lineBytes)
      .filter((each) => Math.floor(each / PAGE_BYTES) === page);
  }

  private linesAfter(line: number, page: number): number[] {
    switch (this.description.kind) {
      case "next-line":
        return this.ahead(line, 1);
      case "stride":
        return this.stride(line, page);
      case "stream":
        return this.stream(line, page);
    }
  }

  private ahead(line: number, step: number): number[] {
    const { degree, distance } = this.description;
    return Array.from({ length: degree }, (_, index) => line + step * (distance + index));
  }

  private stride(line: number, page: number): number[] {
    const known = this.know(page, line);
    const step = line - known.last;
    if (step === 0) return [];
    known.isSteady = step === known.step;
    known.step = step;
    known.last = line;
    return known.isSteady ? this.ahead(line, step) : [];
  }

  private stream(line: number, page: number): number[] {
    const { degree, distance } = this.description;
    const known = this.know(page, line);
    const direction = Math.sign(line - known.last);
    if (direction === 0) return [];
    known.last = line;
    if (direction !== known.direction) {
      known.direction = direction;
      known.front = line;
      return [];
    }
    if ((line - known.front) * direction > 0) known.front = line;
    const wanted: number[] = [];
    while (wanted.length < degree) {
      const next = known.front + direction;
      const isInPage = Math.floor((next * this.lineBytes) / PAGE_BYTES) === page;
      if (!isInPage || (next - line) * direction > distance) break;
      known.front = next;
      wanted.push(next);
    }
    return wanted;
  }

  /** The page's entry, which becomes the most recently used; one that is new knows this line. */
  private know(page: number, line: number): Page {
    const known = this.pages.get(page) ?? { last: line, step: 0, isSteady: false, direction: 0, front: line };
    this.pages.delete(page);
    const [oldest] = this.pages.keys();
    if (this.pages.size === this.description.entries && oldest !== undefined) this.pages.delete(oldest);
    this.pages.set(page, known);
    return known;
  }
}
