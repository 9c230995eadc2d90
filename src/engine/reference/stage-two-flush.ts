/** What a hypervisor does to memory that stage 2 maps cacheable (D54): reads its own tables and cleans and invalidates by VA. */
import { ATTRIBUTES } from "../operations.ts";
import type { Context } from "./context.ts";
import type { Moment } from "./hazard-log.ts";
import type { Latent } from "./latent.ts";
import { DESCRIPTOR_BYTES, decodeDescriptor, entryLog2, LEVEL_BITS } from "./long-descriptors.ts";
import type { Maintenance } from "./maintenance.ts";
import { blockAround, covers } from "./ranges.ts";
import { memAttrOf, stageTwoTables } from "./stage-two.ts";
import type { TableReader } from "./table-reader.ts";
import type { Tally } from "./tally.ts";
import type { Topology } from "./topology.ts";
import type { Truth } from "./truth.ts";

const DEFAULT_LINE_BYTES = 64;

/** IPAs from `start` up to `end`. */
interface Span {
  readonly start: number;
  readonly end: number;
}

export class StageTwoFlush {
  private readonly topology: Topology;
  private readonly reader: TableReader;
  private readonly maintenance: Maintenance;
  private readonly truth: Truth;
  private readonly latent: Latent;
  private readonly tally: Tally;
  private readonly lineBytes: number;

  constructor(
    topology: Topology,
    reader: TableReader,
    maintenance: Maintenance,
    truth: Truth,
    latent: Latent,
    tally: Tally,
  ) {
    this.topology = topology;
    this.reader = reader;
    this.maintenance = maintenance;
    this.truth = truth;
    this.latent = latent;
    this.tally = tally;
    const lines = topology.dataInOrder.map(({ cache }) => cache.lineBytes);
    this.lineBytes = lines.length === 0 ? DEFAULT_LINE_BYTES : Math.min(...lines);
  }

  /** Registers that describe no tables map nothing. */
  flush(context: Context, span: Span, moment: Moment): void {
    const tables = stageTwoTables(context);
    if (!tables) return;
    const end = Math.min(span.end, 2 ** tables.inputBits);
    this.table(context, tables.base, tables.firstLevel, tables.firstBits, 0, { ...span, end }, moment);
  }

  /** A table of which the first entry translates `from`. */
  private table(
    context: Context,
    table: number,
    level: number,
    indexBits: number,
    from: number,
    span: Span,
    moment: Moment,
  ): void {
    const entryBytes = 2 ** entryLog2(level);
    for (let index = 0; index < 2 ** indexBits; index++) {
      const start = from + index * entryBytes;
      const part: Span = { start: Math.max(start, span.start), end: Math.min(start + entryBytes, span.end) };
      if (part.start >= part.end) continue;
      const piece = { address: table + DESCRIPTOR_BYTES * index, sizeBytes: DESCRIPTOR_BYTES };
      const value = this.reader.read("hypervisor", piece, ATTRIBUTES.WRITE_BACK.code, moment);
      if (value === undefined) continue;
      const descriptor = decodeDescriptor(value, level);
      if (descriptor.kind === "table") {
        this.table(context, descriptor.address, level + 1, LEVEL_BITS, start, span, moment);
      } else if (descriptor.kind === "leaf" && isCacheable(memAttrOf(value), context)) {
        this.leaf(descriptor.address + part.start - start, part.end - part.start, moment);
      }
    }
  }

  private leaf(address: number, sizeBytes: number, moment: Moment): void {
    const region = this.topology.region(address);
    const isInMemory = region && covers({ address: region.base, sizeBytes: region.sizeBytes }, { address, sizeBytes });
    if (!isInMemory) return;
    this.tally.machine.flushedLeaves += 1;
    let line = blockAround(address, this.lineBytes).address;
    for (; line < address + sizeBytes; line += this.lineBytes) {
      this.tally.beginPiece(moment.requester);
      this.tally.machine.flushedLines += 1;
      this.tally.event("maintenance");
      this.maintenance.byAddress(line, true, true, undefined);
      this.latent.maintains("data", moment.requester, line);
      this.truth.checkLost(moment);
    }
  }
}

/** Write-Back for both, or with FWB whatever isn't Device or Non-cacheable for certain. */
function isCacheable(memAttr: number, context: Context): boolean {
  return context.hcr("FWB") ? (memAttr & 4) !== 0 && memAttr !== 5 : memAttr === 0xf;
}
