/** DMA (D30, R46): coherent devices snoop, others see memory at the PoC only. No device goes through the outer cache. */
import type { Device } from "../../machine/resolved.ts";
import type { Place } from "../engine.ts";
import { bytesOf, type CacheArray, type LineCopy } from "./cache-array.ts";
import type { Lines } from "./lines.ts";
import type { Maintenance } from "./maintenance.ts";
import type { Memory } from "./memory.ts";
import { covers, type Range } from "./ranges.ts";
import type { Tally } from "./tally.ts";
import type { Topology } from "./topology.ts";

export class Devices {
  private readonly topology: Topology;
  private readonly lines: Lines;
  private readonly memory: Memory;
  private readonly maintenance: Maintenance;
  private readonly tally: Tally;

  constructor(topology: Topology, lines: Lines, memory: Memory, maintenance: Maintenance, tally: Tally) {
    this.topology = topology;
    this.lines = lines;
    this.memory = memory;
    this.maintenance = maintenance;
    this.tally = tally;
  }

  /** A coherent read takes the first dirty copy's bytes, else the first copy's; states stay and nothing is allocated. */
  read(device: Device, piece: Range): { seen: Uint8Array; place: Place } {
    this.tally.machine.deviceReads += 1;
    if (device.coherent) {
      // A copy's line covers the piece, since pieces end at the smallest line: memory isn't read.
      const copies = this.topology.dataCopies(piece);
      const copy = copies.find((each) => each.dirty) ?? copies[0];
      if (copy) {
        this.tally.snoop(copy);
        return { seen: bytesOf(copy, piece), place: { cache: copy.array.cache.id } };
      }
    }
    const { bytes, place } = this.memory.readUncached(piece, "dma");
    return { seen: bytes, place };
  }

  write(device: Device, piece: Range, bytes: Uint8Array): void {
    this.tally.machine.deviceWrites += 1;
    if (!device.coherent) {
      this.memory.writeUncached(piece.address, bytes, "dma");
      return;
    }
    const landing = this.landingCache(device, piece.address);
    this.snoopAway(piece, landing);
    if (landing) this.land(landing, piece, bytes);
    else this.memory.writeUncached(piece.address, bytes, "dma");
  }

  /** Everything but the landing cache's copy is cleaned and removed; dirty bytes go into that copy, else to memory. */
  private snoopAway(piece: Range, landing: CacheArray | undefined): void {
    const landed = landing?.find(piece.address);
    const overlapping = (range: Range): LineCopy[] =>
      this.topology.dataByDepth.flatMap((array) => (array === landing ? [] : array.overlapping(range)));
    const copies = overlapping(piece);
    this.lines.writeUnnamedAside(copies);
    if (landing && !landed) {
      // The landing cache will read its whole line and own it: smaller copies beside the piece can't stay.
      const beside = overlapping(landing.lineAround(piece.address)).filter((copy) => !copies.includes(copy));
      for (const copy of beside) if (copy.dirty) this.lines.writeAside(copy);
      copies.push(...beside);
    }
    this.maintenance.cleanToPoc(copies, (line, bytes) => {
      if (landed && covers(landed.line, line)) this.lines.land(landed, line.address, bytes);
      else this.memory.write(line.address, bytes);
    });
    this.lines.kept = (copy) => copy === landed;
    for (const copy of copies) {
      if (!copy.array.has(copy)) continue;
      this.tally.snoop(copy);
      copy.array.counters.invalidations += 1;
      this.lines.remove(copy);
    }
    this.lines.kept = () => false;
  }

  private land(landing: CacheArray, piece: Range, bytes: Uint8Array): void {
    const held = landing.find(piece.address);
    this.tally.demand(landing, "store", held !== undefined);
    if (held) landing.touch(held);
    this.lines.land(held ?? this.allocate(landing, piece, bytes), piece.address, bytes);
  }

  private allocate(landing: CacheArray, piece: Range, bytes: Uint8Array): LineCopy {
    const slot = this.lines.makeRoom(landing, piece.address);
    const line = landing.lineAround(piece.address);
    const old = covers(piece, line) ? bytes : this.memory.read(line).bytes;
    return landing.fill(slot, line, old, { dirty: false, shared: false });
  }

  /** The first system cache on the way from the device's socket to the address. */
  private landingCache(device: Device, address: number): CacheArray | undefined {
    if (device.allocate !== "system") return undefined;
    const core = this.topology.machine.cores.find(({ socket }) => socket === device.socket);
    if (!core) return undefined;
    return this.topology.dataPath(core.id, address).find((array) => array.cache.kind === "system");
  }
}
