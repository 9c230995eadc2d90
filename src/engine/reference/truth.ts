/**
 * What memory would hold if caches did not exist (D31), and the hazards that follow from comparing with it: stale
 * observations, leaks, and writes that are lost (D32).
 */
import type { Place } from "../engine.ts";
import type { AttributeCode } from "../operations.ts";
import type { HazardLog, Moment } from "./hazard-log.ts";
import type { Memory } from "./memory.ts";
import { blockAround, littleEndian, overlay, type Range, slice, split } from "./ranges.ts";
import { SparseBytes } from "./sparse-bytes.ts";
import type { Topology } from "./topology.ts";

const WORD_BYTES = 8;
const PAGE_BYTES = 4096;

/** Who wrote a word last. */
interface Writer {
  readonly record: number;
  readonly requester: number;
  readonly attribute: AttributeCode;
  /** Record at which the value ceased to exist anywhere, -1 if it hasn't. */
  lostAt: number;
}

export type Observation = "stale-read" | "stale-fetch" | "stale-dma" | "stale-walk";

export class Truth {
  readonly bytes = new SparseBytes();
  /** By address of the aligned word; a word without an entry was never written. */
  private readonly writers = new Map<number, Writer>();
  /** Record at which a page was given to somebody else, by page number. */
  private readonly assigned = new Map<number, number>();
  /** Smallest lines of which some place dropped or changed bytes since the last check. */
  private readonly changed = new Set<number>();
  private readonly topology: Topology;
  private readonly memory: Memory;
  private readonly log: HazardLog;
  private readonly lineBytes: number;

  constructor(topology: Topology, memory: Memory, log: HazardLog, lineBytes: number) {
    this.topology = topology;
    this.memory = memory;
    this.log = log;
    this.lineBytes = lineBytes;
  }

  write(address: number, bytes: Uint8Array, attribute: AttributeCode, { record, requester }: Moment): void {
    const range = { address, sizeBytes: bytes.length };
    this.bytes.write(address, bytes);
    for (const part of split(range, WORD_BYTES)) {
      const word = blockAround(part.address, WORD_BYTES).address;
      this.writers.set(word, { record, requester, attribute, lostAt: -1 });
    }
    this.noteChange(range);
  }

  assignPage(address: number, record: number): void {
    this.assigned.set(Math.floor(address / PAGE_BYTES), record);
  }

  /** Some place no longer has these bytes as they were. */
  noteChange(range: Range): void {
    for (const part of split(range, this.lineBytes))
      this.changed.add(blockAround(part.address, this.lineBytes).address);
  }

  /** Compares what an observer saw of a piece with the truth; the first word that differs names the newest write. */
  compare(
    kind: Observation,
    piece: Range,
    seen: Uint8Array,
    source: Place,
    attribute: AttributeCode,
    moment: Moment,
  ): void {
    const right = this.bytes.read(piece);
    const wrong = right.findIndex((byte, index) => byte !== seen[index]);
    if (wrong < 0) return;
    const word = blockAround(piece.address + wrong, WORD_BYTES);
    const writer = this.writers.get(word.address);
    const newest = writer?.record ?? -1;
    const assigned = this.assigned.get(Math.floor(word.address / PAGE_BYTES)) ?? -1;
    this.log.report(
      {
        class: assigned > newest ? "leak" : kind,
        line: blockAround(piece.address, this.lineBytes).address,
        newest,
        writer: writer?.requester ?? -1,
        writerAttribute: writer?.attribute ?? -1,
        address: word.address,
        observed: wordOf(word, piece, seen),
        expected: wordOf(word, piece, right),
        source,
        newestAt: this.whereIsTruth(word) ?? "nowhere",
        attribute,
        lostAt: writer?.lostAt ?? -1,
      },
      moment,
    );
  }

  /** Finds the words that ceased to exist since the last check, one occurrence for each line and newest write (R27, D32). */
  checkLost(moment: Moment): void {
    const lines = [...this.changed].sort((a, b) => a - b);
    this.changed.clear();
    for (const line of lines) {
      const reported = new Set<number>();
      for (const word of split({ address: line, sizeBytes: this.lineBytes }, WORD_BYTES)) {
        const writer = this.writers.get(word.address);
        if (!writer || writer.lostAt >= 0 || this.whereIsTruth(word) !== undefined) continue;
        writer.lostAt = moment.record;
        if (reported.has(writer.record)) continue;
        reported.add(writer.record);
        this.log.report(
          {
            class: "lost-write",
            line,
            newest: writer.record,
            writer: writer.requester,
            writerAttribute: writer.attribute,
            address: word.address,
            expected: littleEndian(this.bytes.read(word)),
            lostAt: moment.record,
          },
          moment,
        );
      }
    }
  }

  /** The first place, from the innermost outwards, whose whole word is the true one. */
  private whereIsTruth(word: Range): Place | undefined {
    const right = this.bytes.read(word);
    const isRight = (bytes: Uint8Array, at: number): boolean => {
      for (let i = 0; i < right.length; i++) if (right[i] !== bytes[at + i]) return false;
      return true;
    };
    for (const array of this.topology.dataByDepth) {
      const copy = array.find(word.address);
      if (copy && isRight(copy.bytes, word.address - copy.line.address)) return { cache: array.cache.id };
    }
    for (const { bytes, place } of this.memory.placesOf(word)) if (isRight(bytes, 0)) return place;
    return undefined;
  }
}

/** The part of an aligned word that lies in the piece, as a number; zero elsewhere. */
function wordOf(word: Range, piece: Range, bytes: Uint8Array): bigint {
  const value = new Uint8Array(WORD_BYTES);
  overlay(value, word.address, bytes, piece.address);
  return littleEndian(slice(value, word.address, word));
}
