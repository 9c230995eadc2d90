/**
 * Random streams for a machine: every operation, dense conflicts on few lines, prefixes, control writes, whole set/way
 * loops and the idioms of real software. A stream is valid unless the feature `errors` ends it with a bad record.
 */
import {
  ATTRIBUTES,
  type AttributeCode,
  OPERATIONS,
  type OperationName,
  SCTLR_C,
  SCTLR_M,
} from "../../src/engine/operations.ts";
import {
  type AttributeName,
  assignPage,
  dc,
  device,
  dsb,
  fetch,
  ic,
  isb,
  load,
  migrate,
  type RecordEntry,
  record,
  setWayOperand,
  store,
} from "../../src/engine/record.ts";
import type { Cache, ResolvedMachine } from "../../src/machine/resolved.ts";
import { Guests } from "./random-guests.ts";
import type { Draw, Has } from "./random-machine.ts";

type Writable<T> = { -readonly [K in keyof T]: T[K] };

const BY_VA: readonly OperationName[] = ["DC_IVAC", "DC_CVAC", "DC_CIVAC", "DC_CVAU", "DC_CVAP", "IC_IVAU"];
const BARRIERS: readonly OperationName[] = ["DSB", "DSB", "ISB", "ISB", "DMB", "TLBI_ALL", "BP_INVALIDATE"];
const BY_SET_WAY: readonly OperationName[] = ["DC_ISW", "DC_CSW", "DC_CISW"];
const OUTER_BY_PA: readonly OperationName[] = ["OUTER_CLEAN_PA", "OUTER_INVALIDATE_PA", "OUTER_FLUSH_PA"];
const OUTER_BY_WAY: readonly OperationName[] = ["OUTER_CLEAN_WAY", "OUTER_INVALIDATE_WAY", "OUTER_FLUSH_WAY"];

interface Place {
  readonly address: number;
  /** End of its region. */
  readonly end: number;
  readonly mmio: boolean;
}

/** One kind of thing that a stream does, with how often. */
interface Kind {
  weight: number;
  readonly emit: () => void;
}

export function randomStream(draw: Draw, has: Has, machine: ResolvedMachine, count: number): RecordEntry[] {
  const out: RecordEntry[] = [];
  const sctlr = machine.cores.map(() => machine.initialSctlr);
  const places = hotPlaces(draw, machine);
  const favourite = draw.int(0, machine.cores.length - 1);
  const guests = has("translation") ? new Guests(draw, machine, out) : undefined;

  const anyCore = () => (draw.chance(25) ? favourite : draw.int(0, machine.cores.length - 1));
  const anyDevice = () => machine.cores.length + draw.int(0, machine.devices.length - 1);
  const anyPlace = (): Place => {
    const place = draw.pick(places);
    const offset = draw.int(0, machine.largestLineBytes - 1);
    const aligned = has("sizes") && draw.chance(30) ? offset : offset & ~7;
    return { ...place, address: place.address + aligned };
  };
  const anyRam = (): Place => {
    for (;;) {
      const place = anyPlace();
      if (!place.mmio) return place;
    }
  };
  const attribute = (maintenance = false): { attribute?: AttributeName } => {
    const from: AttributeName[] = [];
    if (has("attributes")) from.push("DEVICE", "NON_CACHEABLE", "NON_CACHEABLE", "WRITE_THROUGH", "WRITE_BACK");
    if (has("split")) from.push("WRITE_THROUGH", "INNER_WT_OUTER_WB", "INNER_WB_OUTER_NC", "INNER_NC_OUTER_WB");
    if (has("nonshareable")) from.push("WRITE_BACK_NON_SHAREABLE", "WRITE_BACK_NON_SHAREABLE");
    return from.length > 0 && draw.chance(maintenance ? 25 : 35) ? { attribute: draw.pick(from) } : {};
  };
  /** Size and value, within the region. */
  const extent = (place: Place, writes: boolean): { sizeBytes?: number; value?: bigint } => {
    if (!has("sizes")) return {};
    const most = Math.min(place.end - place.address, machine.largestLineBytes * 2 + 7);
    return {
      ...(draw.chance(45) ? { sizeBytes: Math.min(most, draw.pick([1, 2, 4, 8, 16, draw.int(1, most), most])) } : {}),
      ...(writes && draw.chance(25) ? { value: anyValue(draw) } : {}),
    };
  };
  const deviceMemory = (core: number, place: Place, chosen: AttributeName | undefined) =>
    place.mmio || ((sctlr[core] as number) & SCTLR_M) === 0 || chosen === "DEVICE";
  const shareableWriteBack = (core: number, place: Place, chosen: AttributeName | undefined) => {
    if (deviceMemory(core, place, chosen) || ((sctlr[core] as number) & SCTLR_C) === 0) return false;
    return chosen === undefined || chosen === "WRITE_BACK";
  };

  const access = (name: OperationName, writes: boolean) => {
    const core = anyCore();
    const place = anyPlace();
    out.push(record(name, core, place.address, { ...extent(place, writes), ...attribute() }));
  };
  const atomic = () => {
    const core = anyCore();
    const place = anyPlace();
    const chosen = attribute();
    if (machine.ncAtomics === "fault" && (guests?.runs(core) || !shareableWriteBack(core, place, chosen.attribute))) {
      return;
    }
    out.push(record("ATOMIC", core, place.address, { ...extent(place, true), ...chosen }));
  };
  const zero = () => {
    const core = anyCore();
    const place = anyPlace();
    const chosen = attribute();
    if (machine.zvaBytes === 0 || guests?.runs(core) || deviceMemory(core, place, chosen.attribute)) return;
    out.push(dc.zva(core, place.address, chosen));
  };
  const setCaches = machine.caches.filter((cache) => cache.holds !== "instructions");
  const setWay = (name: OperationName, core: number) => {
    const path = setCaches.filter((cache) => cache.cores.includes(core));
    const cache =
      draw.chance(92) && path.length > 0 ? draw.pick(path) : { depth: draw.int(1, 7), ways: 4, lineBytes: 64, sets: 4 };
    const set = draw.int(0, draw.chance(90) ? cache.sets - 1 : cache.sets + 1);
    // A way beyond the last can only be named where the field has room for it.
    const room = 2 ** Math.ceil(Math.log2(cache.ways)) - 1;
    const way = draw.chance(90) ? draw.int(0, cache.ways - 1) : room;
    out.push(record(name, core, setWayOperand(cache, set, way)));
  };
  const control = () => {
    const core = anyCore();
    const value = draw.pick([0, 1, 5, 0x1000, 0x1001, 0x1004, 0x1005, 0x1005, 0x1005]);
    sctlr[core] = value;
    out.push(record("SCTLR", core, value));
  };

  const kinds: Kind[] = [
    { weight: 6, emit: () => access("LOAD", false) },
    { weight: 6, emit: () => access("STORE", true) },
  ];
  const add = (on: boolean, weight: number, emit: () => void) => {
    if (on) kinds.push({ weight, emit });
  };
  add(has("fetch"), 4, () => access("FETCH", false));
  add(has("speculation"), 1, () => {
    const place = anyPlace();
    out.push(record("PREFETCH", anyCore(), place.address, { ...extent(place, false), ...attribute() }));
  });
  add(has("speculation") && has("fetch"), 1, () => {
    const place = anyPlace();
    out.push(record("SPECULATIVE_FETCH", anyCore(), place.address, { ...extent(place, false), ...attribute() }));
  });
  add(has("speculation"), 1, () => out.push(record("EVICT", anyCore(), anyRam().address)));
  add(has("prefetchers") && machine.caches.length > 0, 4, () => {
    const core = anyCore();
    const first = anyRam();
    const step =
      draw.pick([-3, -2, -1, 1, 1, 1, 2, 3, 5]) * draw.pick(machine.caches.map(({ lineBytes }) => lineBytes));
    const chosen = attribute();
    for (let i = draw.int(2, 9), at = first.address; i > 0 && at >= 0 && at + 8 <= first.end; i--, at += step) {
      if (isInOneRegion(machine, first.address, at))
        out.push(record(draw.chance(75) ? "LOAD" : "STORE", core, at, chosen));
    }
  });
  add(has("atomics"), 2, atomic);
  add(has("control"), 1, control);
  add(has("maintenance"), 4, () => out.push(record(draw.pick(BY_VA), anyCore(), anyPlace().address, attribute(true))));
  add(has("maintenance"), 1, () => out.push(record(draw.pick(["IC_IALLU", "IC_IALLUIS"] as const), anyCore(), 0)));
  add(has("maintenance"), 2, () => out.push(record(draw.pick(BARRIERS), anyCore(), 0)));
  add(has("barriers"), 2, () => {
    if (draw.chance(20)) out.push(record("CHARGE", anyCore(), draw.int(0, 3)));
    else out.push(record(draw.pick(BARRIERS), anyCore(), 0));
  });
  add(has("maintenance") || has("zeroing"), 1, zero);
  add(has("maintenance"), 1, () => {
    for (const each of idiom(draw, has, machine, anyCore(), anyCore(), anyRam().address)) out.push(each);
  });
  add(has("setway"), 3, () => setWay(draw.pick(BY_SET_WAY), anyCore()));
  add(has("setway"), 1, () => {
    if (draw.chance(30)) for (const each of loop(draw, machine, anyCore())) out.push(each);
  });
  add(has("setway") && machine.cores.length > 1, 1, () => {
    const from = anyCore();
    const to = anyCore();
    if (from !== to) out.push(migrate(from, to));
  });
  add(machine.devices.length > 0, 3, () => {
    const place = anyPlace();
    const write = draw.chance(50);
    const name = write ? "DEVICE_WRITE" : "DEVICE_READ";
    out.push(
      record(name, anyDevice(), place.address, { ...extent(place, write), ...(draw.chance(15) ? attribute() : {}) }),
    );
  });
  add(machine.outer !== undefined, 1, () => out.push(record("OUTER_CONTROL", anyCore(), draw.chance(75) ? 1 : 0)));
  add(machine.outer !== undefined, 2, () => out.push(record(draw.pick(OUTER_BY_PA), anyCore(), anyRam().address)));
  add(machine.outer !== undefined, 1, () =>
    out.push(record(draw.pick(OUTER_BY_WAY), anyCore(), draw.int(0, 2 ** (machine.outer?.ways ?? 1) - 1))),
  );
  add(has("assign"), 1, () => {
    const who = machine.devices.length > 0 && draw.chance(20) ? anyDevice() : anyCore();
    out.push(assignPage(who, anyRam().address));
  });

  // Each stream has its own mix, so that rare things are sometimes frequent.
  for (const kind of kinds) kind.weight *= draw.pick([0.3, 1, 1, 3]);
  if (guests) {
    guests.start();
    for (const kind of guests.kinds()) kinds.push(kind);
  }

  const total = kinds.reduce((sum, kind) => sum + kind.weight, 0);
  const start = out.length;
  while (out.length < start + count) {
    let at = (draw.int(0, 9999) / 10000) * total;
    const kind = kinds.find((each) => {
      at -= each.weight;
      return at < 0;
    });
    kind?.emit();
  }
  out.length = start + count;
  if (has("errors") && draw.chance(60)) out.push(badRecord(draw, machine, places));
  return out;
}

/** Lines that conflict: a few, near each other in some sets, with neighbours, in every region. */
function hotPlaces(draw: Draw, machine: ResolvedMachine): Place[] {
  const block = machine.largestLineBytes;
  const strides = [1, 1, ...machine.caches.map((cache) => Math.max(1, (cache.sets * cache.lineBytes) / block))];
  const places: Place[] = [];
  for (const region of machine.memory) {
    const blocks = Math.floor(region.sizeBytes / block);
    const stride = Math.max(1, Math.round(draw.pick(strides)));
    const first = draw.chance(80) ? draw.int(0, Math.min(blocks - 1, 8)) : blocks - 1;
    const many = region.type === "device" ? 1 : draw.int(2, machine.memory.length > 2 ? 4 : 8);
    for (let index = 0; index < many; index++) {
      const number = (first + index * stride) % blocks;
      places.push({
        address: region.base + number * block,
        end: region.base + region.sizeBytes,
        mmio: region.type === "device",
      });
    }
  }
  return places;
}

function isInOneRegion(machine: ResolvedMachine, one: number, other: number): boolean {
  return machine.memory.some(
    ({ base, sizeBytes }) => Math.min(one, other) >= base && Math.max(one, other) + 8 <= base + sizeBytes,
  );
}

function anyValue(draw: Draw): bigint {
  if (draw.chance(30)) return BigInt(draw.int(0, 3));
  return (BigInt(draw.int(0, 0xffff_ffff)) << 32n) | BigInt(draw.int(0, 0xffff_ffff));
}

/** Every set and way of every level that set/way reaches, as an operating system walks them; sometimes cut short. */
function loop(draw: Draw, machine: ResolvedMachine, core: number): RecordEntry[] {
  const name = draw.pick(BY_SET_WAY);
  const all: RecordEntry[] = [];
  const levels = new Map<number, Cache>();
  for (const cache of machine.caches) {
    if (cache.holds === "instructions" || !cache.setWay || !cache.cores.includes(core)) continue;
    // Of home-placed caches, the one of the core's own socket (D28).
    if (levels.has(cache.depth) && cache.socket !== machine.cores[core]?.socket) continue;
    levels.set(cache.depth, cache);
  }
  const wayOuter = draw.chance(50);
  for (const cache of levels.values()) {
    for (let way = 0; way < cache.ways; way++) {
      for (let set = 0; set < cache.sets; set++) all.push(record(name, core, setWayOperand(cache, set, way)));
    }
    if (!wayOuter) all.reverse();
  }
  const kept = draw.chance(75) ? all.length : draw.int(0, all.length);
  return all.slice(0, Math.min(kept, 120));
}

/** What real software does around new code and DMA, sometimes with a step forgotten. */
function idiom(
  draw: Draw,
  has: Has,
  machine: ResolvedMachine,
  core: number,
  other: number,
  address: number,
): RecordEntry[] {
  const where = address - (address % 8);
  const choices: RecordEntry[][] = [
    [store(core, where), dc.cvau(core, where), dsb(core), ic.ivau(core, where), dsb(core), isb(other)],
    [store(core, where), dc.civac(core, where), dsb(core), load(other, where)],
  ];
  if (has("fetch")) {
    choices.push([
      store(core, where),
      dc.cvau(core, where),
      dsb(core),
      ic.ivau(core, where),
      dsb(core),
      isb(core),
      fetch(core, where),
    ]);
  }
  if (machine.devices.length > 0) {
    const master = device(machine.cores.length + draw.int(0, machine.devices.length - 1));
    choices.push([store(core, where), dc.cvac(core, where), dsb(core), master.read(where)]);
    choices.push([
      dc.civac(core, where),
      dsb(core),
      master.write(where),
      dc.ivac(core, where),
      dsb(core),
      load(core, where),
    ]);
  }
  const steps = draw.pick(choices);
  return draw.chance(60) ? steps : steps.filter(() => draw.chance(75));
}

/** A record that D7 refuses on any machine, or on this one. */
function badRecord(draw: Draw, machine: ResolvedMachine, places: readonly Place[]): RecordEntry {
  const place = draw.pick(places);
  const address = place.address;
  const missing = machine.cores.length + machine.devices.length;
  const wild: RecordEntry[] = [
    { code: draw.pick([6, 15, 36, 60, 200, 243, 255]), requester: 0, operand: address },
    load(missing, address),
    record("STORE", missing + 300, address),
    device(0).read(address),
    load(0, 0xdead_0000_0000),
    { ...store(0, place.end - 4), sizeBytes: 8 + draw.int(0, 64) },
    dc.civac(0, 0xdead_0000_0000),
    { ...load(0, machine.memory[0]?.base ?? 0), sizeBytes: 0xff_ffff },
    { ...store(0, address), attribute: draw.pick([8, 100]) as AttributeCode },
    migrate(missing, 0),
  ];
  if (machine.devices.length > 0) wild.push(load(machine.cores.length, address), dsb(machine.cores.length));
  if (machine.ncAtomics === "fault") {
    wild.push({ ...record("ATOMIC", 0, address), attribute: ATTRIBUTES.NON_CACHEABLE.code });
  }
  wild.push({ ...record("DC_ZVA", 0, address), attribute: ATTRIBUTES.DEVICE.code });
  const chosen: Writable<RecordEntry> = { ...draw.pick(wild) };
  return chosen;
}

/** Every operation code that a stream can hold, for the test that none is forgotten. */
export const STREAM_OPERATIONS: readonly OperationName[] = (Object.keys(OPERATIONS) as OperationName[]).filter(
  (name) => !("prefix" in OPERATIONS[name]),
);
