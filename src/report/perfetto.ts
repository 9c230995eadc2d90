/**
 * A time line as Perfetto's protobuf (https://perfetto.dev): one process, a thread for each lane, counters beneath, flow
 * arrows. Numbers of fields are those of perfetto/trace/trace_packet.proto and track_event/*.proto.
 */
import { ProtobufWriter } from "./protobuf-writer.ts";
import type { Slice, Timeline, Track } from "./timeline.ts";

const PACKET = { timestamp: 8, sequence: 10, trackEvent: 11, trackDescriptor: 60, sequenceFlags: 13 } as const;
const DESCRIPTOR = { uuid: 1, name: 2, process: 3, thread: 4, parent: 5, counter: 8 } as const;
const PROCESS = { pid: 1, name: 6 } as const;
const THREAD = { pid: 1, tid: 2, name: 5 } as const;
const COUNTER = { unitName: 6 } as const;
const EVENT = {
  notes: 4,
  type: 9,
  track: 11,
  categories: 22,
  name: 23,
  value: 30,
  double: 44,
  flows: 47,
  endingFlows: 48,
} as const;
const NOTE = { name: 10, integer: 4, double: 5, text: 6 } as const;
const TYPE = { begin: 1, end: 2, counter: 4 } as const;

/** Incremental state begins with the first packet: there is none before it. */
const STATE_CLEARED = 1;
const SEQUENCE = 1;
const PID = 1;
/** The process's own track; those of the time line follow it. */
const PROCESS_UUID = 1;
const uuidOf = (track: number): number => PROCESS_UUID + track;
const NANOSECONDS_A_UNIT = 1000;

interface TimedEvent {
  readonly at: number;
  /** Ends come before counters, and these before beginnings; of those that begin together the longest comes first. */
  readonly order: number;
  readonly write: (event: ProtobufWriter) => void;
}

/** The whole trace: packets, which Perfetto's UI and trace_processor read. */
export function perfettoOf(timeline: Timeline): Uint8Array {
  const trace = new ProtobufWriter();
  const packet = (write: (packet: ProtobufWriter) => void): void =>
    trace.message(1, (body) => {
      body.varint(PACKET.sequence, SEQUENCE);
      write(body);
    });
  packet((body) => {
    body.varint(PACKET.sequenceFlags, STATE_CLEARED);
    body.message(PACKET.trackDescriptor, (descriptor) => {
      descriptor.varint(DESCRIPTOR.uuid, PROCESS_UUID);
      descriptor.message(DESCRIPTOR.process, (process) => {
        process.varint(PROCESS.pid, PID);
        process.text(PROCESS.name, `${timeline.title} (1 us is 1 ${timeline.unit})`);
      });
    });
  });
  for (const track of timeline.tracks) {
    packet((body) => body.message(PACKET.trackDescriptor, (descriptor) => describeTrack(descriptor, track)));
  }
  const events = [...sliceEvents(timeline.slices), ...sampleEvents(timeline)];
  events.sort((a, b) => a.at - b.at || a.order - b.order);
  for (const { at, write } of events) {
    packet((body) => {
      body.varint(PACKET.timestamp, at * NANOSECONDS_A_UNIT);
      body.message(PACKET.trackEvent, write);
    });
  }
  return trace.bytes();
}

function describeTrack(descriptor: ProtobufWriter, { id, name, kind, of, unit }: Track): void {
  descriptor.varint(DESCRIPTOR.uuid, uuidOf(id));
  if (kind === "lane") {
    descriptor.message(DESCRIPTOR.thread, (thread) => {
      thread.varint(THREAD.pid, PID);
      // The thread that has its process's number is taken for its main thread.
      thread.varint(THREAD.tid, PID + id);
      thread.text(THREAD.name, name);
    });
    return;
  }
  descriptor.varint(DESCRIPTOR.parent, of === undefined ? PROCESS_UUID : uuidOf(of));
  descriptor.text(DESCRIPTOR.name, name);
  descriptor.message(DESCRIPTOR.counter, (counter) => {
    if (unit !== undefined) counter.text(COUNTER.unitName, unit);
  });
}

function* sliceEvents(slices: readonly Slice[]): Generator<TimedEvent> {
  for (const { track, from, to, name, category, arrowsFrom = [], arrowsTo = [], notes = {} } of slices) {
    yield {
      at: from,
      order: 2 - (to - from) / (to - from + 1),
      write: (event) => {
        event.varint(EVENT.type, TYPE.begin);
        event.varint(EVENT.track, uuidOf(track));
        event.text(EVENT.categories, category);
        event.text(EVENT.name, name);
        for (const [key, value] of Object.entries(notes)) {
          event.message(EVENT.notes, (note) => {
            note.text(NOTE.name, key);
            if (typeof value === "string") note.text(NOTE.text, value);
            else if (Number.isSafeInteger(value) && value >= 0) note.varint(NOTE.integer, value);
            else note.double(NOTE.double, value);
          });
        }
        for (const arrow of arrowsFrom) event.fixed64(EVENT.flows, arrow);
        for (const arrow of arrowsTo) event.fixed64(EVENT.endingFlows, arrow);
      },
    };
    yield {
      at: to,
      order: 0,
      write: (event) => {
        event.varint(EVENT.type, TYPE.end);
        event.varint(EVENT.track, uuidOf(track));
      },
    };
  }
}

function* sampleEvents({ samples }: Timeline): Generator<TimedEvent> {
  for (const { track, at, value } of samples) {
    yield {
      at,
      order: 0.5,
      write: (event) => {
        event.varint(EVENT.type, TYPE.counter);
        event.varint(EVENT.track, uuidOf(track));
        if (Number.isSafeInteger(value) && value >= 0) event.varint(EVENT.value, value);
        else event.double(EVENT.double, value);
      },
    };
  }
}
