/** Writes gem5's packet traces, which its TrafficGen plays: a packet a record, one nanosecond apart. */
import { OPERATIONS } from "../engine/operations.ts";
import type { ByteSink } from "./bytes.ts";
import { GEM5_MAGIC, INST_FETCH } from "./gem5.ts";
import { ByteList, writeRecords } from "./record-writer.ts";
import type { EntryWriter, TraceDescription } from "./source.ts";

/** Ticks are picoseconds, as in gem5. */
const TICKS_A_SECOND = 1e12;
const TICKS_A_RECORD = 1000;
/** Names in the header where the trace doesn't say how many requesters it has. */
const REQUESTERS = 256;
const LINE_BYTES = 64;

const VARINT = 0;
const BYTES = 2;

/** Commands of `MemCmd`, with a flag for fetches. */
const COMMANDS: ReadonlyMap<number, number> = new Map([
  [OPERATIONS.LOAD.code, 1],
  [OPERATIONS.STORE.code, 4],
  [OPERATIONS.FETCH.code, 1],
  [OPERATIONS.PREFETCH.code, 11],
  [OPERATIONS.ATOMIC.code, 34],
  [OPERATIONS.DC_CVAC.code, 42],
  [OPERATIONS.DC_CIVAC.code, 44],
  [OPERATIONS.DC_IVAC.code, 52],
]);
const ATOMIC_BYTES = 8;

/** Anything that is no packet's command is an error unless `skip`. */
export function writeGem5(sink: ByteSink, description: TraceDescription, skip = false): EntryWriter {
  const message = new ByteList();
  let tick = 0;

  const number = (field: number, value: number): void => {
    message.varint(field * 8 + VARINT);
    message.varint(value);
  };
  const field = (to: ByteList, number: number, value: Uint8Array): void => {
    to.varint(number * 8 + BYTES);
    to.varint(value.length);
    to.append(value);
  };
  const finish = (bytes: ByteList): void => {
    const taken = message.take();
    bytes.varint(taken.length);
    bytes.append(taken);
  };

  return writeRecords(
    sink,
    {
      name: "gem5",
      holds: [...COMMANDS.keys()],
      begin: (bytes) => {
        const encoder = new TextEncoder();
        bytes.append(Uint8Array.from(GEM5_MAGIC));
        field(message, 1, encoder.encode("setway"));
        number(2, 0);
        number(3, TICKS_A_SECOND);
        const name = new ByteList();
        for (let core = 0; core < (description.requesters ?? REQUESTERS); core++) {
          name.varint(8);
          name.varint(core);
          field(name, 2, encoder.encode(`system.cpu${core}.data`));
          field(message, 4, name.take());
        }
        finish(bytes);
      },
      record: (bytes, { operation, low, high16, sizeBytes, requester }) => {
        number(1, tick);
        tick += TICKS_A_RECORD;
        number(2, COMMANDS.get(operation) as number);
        number(3, high16 * 2 ** 32 + low);
        number(4, sizeBytes || (operation === OPERATIONS.ATOMIC.code ? ATOMIC_BYTES : LINE_BYTES));
        if (operation === OPERATIONS.FETCH.code) number(5, INST_FETCH);
        number(6, requester);
        finish(bytes);
      },
      end: () => {},
    },
    skip,
  );
}
