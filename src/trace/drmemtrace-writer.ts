/**
 * Writes drmemtrace, for DynamoRIO's tools: one file, in which an entry before the accesses of another requester says which
 * thread they are of, when, and on which CPU. Its records are numbers of a clock of one microsecond.
 */
import { OPERATIONS } from "../engine/operations.ts";
import type { ByteSink } from "./bytes.ts";
import { FILE_TYPE, MARKER, TYPE } from "./drmemtrace-layout.ts";
import { type ByteList, writeRecords } from "./record-writer.ts";
import type { EntryWriter } from "./source.ts";

/** The last version whose traces need no branch targets. */
const VERSION = 4;
const LINE_BYTES = 64;
const PAGE_BYTES = 4096;
const PROCESS = 1;

const TYPES: ReadonlyMap<number, number> = new Map([
  [OPERATIONS.LOAD.code, TYPE.READ],
  [OPERATIONS.STORE.code, TYPE.WRITE],
  [OPERATIONS.FETCH.code, TYPE.INSTR],
  [OPERATIONS.PREFETCH.code, TYPE.PREFETCH],
  [OPERATIONS.DC_CIVAC.code, TYPE.DATA_FLUSH],
  [OPERATIONS.IC_IVAU.code, TYPE.INSTR_FLUSH],
]);
const LARGEST_SIZE = 0xffff;

/** Anything but loads, stores, fetches, prefetches, DC CIVAC and IC IVAU is an error unless `skip`. */
export function writeDrmemtrace(sink: ByteSink, skip = false): EntryWriter {
  const threads = new Set<number>();
  let current = -1;
  let time = 0;

  const entry = (bytes: ByteList, type: number, size: number, low: number, high = 0): void => {
    bytes.u16(type);
    bytes.u16(size);
    bytes.u32(low);
    bytes.u32(high);
  };
  const marker = (bytes: ByteList, kind: number, value: number): void =>
    entry(bytes, TYPE.MARKER, kind, value >>> 0, Math.floor(value / 2 ** 32));

  const enter = (bytes: ByteList, requester: number): void => {
    if (current !== requester) {
      entry(bytes, TYPE.THREAD, 0, requester + 1);
      if (!threads.has(requester)) entry(bytes, TYPE.PID, 0, PROCESS);
      threads.add(requester);
      marker(bytes, MARKER.TIMESTAMP, time);
      marker(bytes, MARKER.CPU_ID, requester);
    }
    current = requester;
  };

  return writeRecords(
    sink,
    {
      name: "drmemtrace",
      holds: [...TYPES.keys()],
      begin: (bytes) => {
        entry(bytes, TYPE.HEADER, 0, VERSION);
        marker(bytes, MARKER.VERSION, VERSION);
        marker(bytes, MARKER.FILETYPE, FILE_TYPE.AARCH64);
        marker(bytes, MARKER.CACHE_LINE_SIZE, LINE_BYTES);
        marker(bytes, MARKER.PAGE_SIZE, PAGE_BYTES);
      },
      record: (bytes, { operation, low, high16, sizeBytes, requester }) => {
        time++;
        enter(bytes, requester);
        // Maintenance is of the line around its address: one byte names it.
        const size = Math.min(sizeBytes, LARGEST_SIZE) || 1;
        entry(bytes, TYPES.get(operation) as number, size, low, high16);
      },
      end: (bytes) => {
        for (const thread of threads) {
          enter(bytes, thread);
          entry(bytes, TYPE.THREAD_EXIT, 0, thread + 1);
        }
        entry(bytes, TYPE.FOOTER, 0, 0);
      },
    },
    skip,
  );
}
