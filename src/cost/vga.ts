/**
 * How many frames a second an emulated VGA frame buffer can have under each remedy for the guest's uncached mapping of
 * what the VMM maps cacheable (arm-facts E.4): the guest draws a frame, the VMM shows it, one after the other.
 */
import { FrameBuffer } from "../devices/frame-buffer.ts";
import { cpuPort } from "../devices/memory-port.ts";
import { VirtioGpu } from "../devices/virtio-gpu.ts";
import type { Engine } from "../engine/engine.ts";
import type { AttributeName } from "../engine/record.ts";
import { Hypervisor, type Vm } from "../hypervisor/index.ts";
import type { ResolvedMachine } from "../machine/resolved.ts";
import { AccessWords } from "./access-words.ts";
import { withFeatures } from "./machine-variants.ts";
import { metered } from "./meter.ts";
import { defineStudy, type StudyContext } from "./study.ts";

type Remedy = "none" | "stage2-cacheable" | "user-maintenance" | "user-uncached" | "trap" | "coherent" | "virtio-gpu";

/** What the guest and the VMM map the buffer as; FEAT_S2FWB overrides the guest's. */
const MAPPINGS: Readonly<Record<Remedy, { readonly guest: AttributeName; readonly user: AttributeName }>> = {
  none: { guest: "NON_CACHEABLE", user: "WRITE_BACK" },
  "stage2-cacheable": { guest: "NON_CACHEABLE", user: "WRITE_BACK" },
  "user-maintenance": { guest: "NON_CACHEABLE", user: "WRITE_BACK" },
  "user-uncached": { guest: "NON_CACHEABLE", user: "NON_CACHEABLE" },
  trap: { guest: "NON_CACHEABLE", user: "WRITE_BACK" },
  coherent: { guest: "WRITE_BACK", user: "WRITE_BACK" },
  "virtio-gpu": { guest: "WRITE_BACK", user: "WRITE_BACK" },
};

const BYTES_PER_PIXEL = 4;
const PAGE_BYTES = 4096;
const BLOCK_BYTES = 2 ** 21;
/** TRANSFER_TO_HOST_2D and RESOURCE_FLUSH. */
const VIRTIO_COMMANDS = 2;
/** Where every line costs the same, this much of a frame says all. */
const UNCACHED_SAMPLE_BYTES = 2 ** 18;
const TRAPPED_SAMPLE_BYTES = 2 ** 14;

export const vga = defineStudy({
  name: "vga",
  summary: "frames a second of an emulated VGA under each remedy, from 640x480 to 4K",
  machine: "seattle",
  parameters: {
    remedy: {
      summary: "none is the bug; the others are the talk's six",
      words: ["none", "stage2-cacheable", "user-maintenance", "user-uncached", "trap", "coherent", "virtio-gpu"],
      default: "all",
    },
    resolution: {
      summary: "pixels, 4 bytes each",
      words: ["640x480", "800x600", "1024x768", "1280x720", "1920x1080", "2560x1440", "3840x2160"],
      default: "640x480,1024x768,1920x1080,3840x2160",
    },
    unit: {
      summary: "bytes of one access: 4 or 8 pixel by pixel, 16 as memcpy does, 64 with a write-combining buffer",
      words: ["4", "8", "16", "64"],
      default: "16",
    },
    changed: {
      summary: "share of the frame that is drawn and shown anew",
      unit: "%",
      least: 1,
      most: 100,
      factor: 10,
      default: "100",
    },
  },
  columns: [
    { key: "shows", title: "shows", summary: "whether the VMM saw the frame, or an old one" },
    { key: "guestCycles", title: "guest cycles", summary: "drawing a frame, exits included" },
    { key: "userCycles", title: "VMM cycles", summary: "showing it: maintenance, copies, loads" },
    { key: "operations", title: "lines", summary: "cache maintenance operations a frame" },
    { key: "exits", title: "exits", summary: "exits a frame" },
    { key: "framesPerSecond", title: "frames/s", summary: "if drawing and showing were all there is", digits: 1 },
  ],
  chart: {
    x: ["resolution", "changed"],
    y: [{ key: "framesPerSecond", label: "frames/s" }],
    yTitle: "frames a second",
  },
  assumptions: [
    "the guest draws on core 0, the VMM shows on core 1 (on a machine with one core: there); one waits for the other",
    "the second frame is measured: caches hold what the first has left",
    "virtio-gpu rings a doorbell by MMIO for each of its two commands; the device copies the frame, then shows its copy",
    "uncached accesses are not combined beyond one access's size, and each waits for memory",
    "what the VMM then does with the pixels costs the same under every remedy and is left out",
  ],
  measure: ({ remedy, resolution, unit, changed }, context) => {
    const [width = 0, height = 0] = resolution.split("x").map(Number);
    const frameBytes = Math.ceil((width * height * BYTES_PER_PIXEL * changed) / 100);
    const facts = { remedy, unitBytes: Number(unit), sampleBytes: sampleOf(remedy, frameBytes, context.machine) };
    const frame = context.once(facts, () => play(facts, context));
    const scale = frameBytes / facts.sampleBytes;
    if (scale > 1) {
      context.note("of large frames a part was played and scaled: cost per line is additive (R32)");
    }
    if (remedy === "stage2-cacheable" && context.machine.features?.fwb !== true) {
      context.note(`${context.machine.name} lacks FEAT_S2FWB: stage2-cacheable is played as if it had it`);
    }
    const guestCycles = frame.guestCycles * scale + frame.commandGuestCycles;
    const userCycles = frame.userCycles * scale + frame.commandUserCycles;
    return {
      shows: frame.stale ? "an old frame" : "the frame",
      guestCycles: Math.round(guestCycles),
      userCycles: Math.round(userCycles),
      operations: Math.round(frame.operations * scale),
      exits: Math.round(frame.exits * scale) + frame.commandExits,
      framesPerSecond: (context.ghz * 1e9) / (guestCycles + userCycles),
    };
  },
});

/** Whole frames where caches matter, unless they are so large that no cache keeps anything until the next frame. */
function sampleOf(remedy: Remedy, frameBytes: number, machine: ResolvedMachine): number {
  if (remedy === "trap") return Math.min(frameBytes, TRAPPED_SAMPLE_BYTES);
  // Nothing stays in a cache from one frame to the next: a small frame costs as much a line as a large one.
  if (remedy === "user-uncached" || remedy === "user-maintenance") return Math.min(frameBytes, UNCACHED_SAMPLE_BYTES);
  const largest = machine.caches
    .filter(({ cores, holds }) => holds !== "instructions" && cores.includes(0))
    .reduce((bytes, { sets, ways, lineBytes }) => bytes + sets * ways * lineBytes, 0);
  return Math.min(frameBytes, 2 * Math.max(2 ** 20, largest));
}

interface Facts {
  readonly remedy: Remedy;
  readonly unitBytes: number;
  readonly sampleBytes: number;
  readonly [name: string]: string | number;
}

/** What a frame costs whatever its size: virtio-gpu's commands. */
interface Commands {
  readonly commandGuestCycles: number;
  readonly commandUserCycles: number;
  readonly commandExits: number;
}

const NO_COMMANDS: Commands = { commandGuestCycles: 0, commandUserCycles: 0, commandExits: 0 };

/** Of what was played. */
interface Frame extends Commands {
  readonly guestCycles: number;
  readonly userCycles: number;
  readonly operations: number;
  readonly exits: number;
  readonly stale: boolean;
}

function play({ remedy, unitBytes, sampleBytes }: Facts, context: StudyContext): Frame {
  const forced = remedy === "stage2-cacheable";
  const machine = forced ? withFeatures(context.machine, { fwb: true }) : context.machine;
  const engine = context.createEngine(machine);
  // What happens when the memory is mapped is no part of what is measured.
  const without = ["flush at map", "instruction cache"] as const;
  const hypervisor = new Hypervisor(engine, { era: forced ? "fwb" : "modern", without });
  const bytes = Math.ceil(sampleBytes / BLOCK_BYTES) * BLOCK_BYTES;
  const trapped = remedy === "trap";
  const vm = hypervisor.createVm({
    memory: [{ bytes: bytes + 2 * BLOCK_BYTES, mapping: "block" }],
    starts: "caches on",
  });
  vm.populate(undefined, undefined, { zero: false });
  const core = machine.cores.length > 1 ? 1 : 0;
  const buffer = trapped ? vm.memslots.all[0]!.end : vm.base;
  const user = { requester: core, unitBytes, attribute: MAPPINGS[remedy].user };
  const device = vm.user({ core: 0 });
  if (trapped) {
    // The VMM's thread of this virtual CPU keeps the bytes where it will show them from.
    vm.mmio(buffer, bytes, { write: (offset, size, value) => device.store(vm.base + offset, value, { size }) });
  }

  const drawing = new AccessWords().access("STORE", buffer, sampleBytes, {
    requester: 0,
    unitBytes,
    attribute: MAPPINGS[remedy].guest,
  }).words;
  const showing = new AccessWords();
  const load = (physical: number, size: number) => void showing.access("LOAD", physical, size, user);
  if (remedy === "user-maintenance") {
    const line = machine.smallestLineBytes;
    eachPage(vm, sampleBytes, (physical, size) => void showing.maintain("DC_CIVAC", physical, size, line, core));
    showing.barrier("DSB", core);
  }
  if (remedy === "virtio-gpu") {
    // The device copies what the guest has in its own memory, and shows the copy.
    const copy = Array.from({ length: bytes / BLOCK_BYTES }, () => hypervisor.pages.allocateBlock());
    const copied = (offset: number) => copy[Math.floor(offset / BLOCK_BYTES)]! + (offset % BLOCK_BYTES);
    eachPage(vm, sampleBytes, (physical, size, offset) => {
      load(physical, size);
      showing.access("STORE", copied(offset), size, user);
    });
    eachPage(vm, sampleBytes, (_, size, offset) => load(copied(offset), size));
  } else {
    eachPage(vm, sampleBytes, load);
  }

  const draw = () => vm.vcpu(0).playTrace(drawing);
  const show = () => {
    hypervisor.cores.asHost(core, () => {});
    engine.play(showing.words);
  };
  draw();
  show();
  const exitsBefore = exitsOf(vm);
  const drawn = metered(engine, draw);
  const exits = exitsOf(vm) - exitsBefore;
  const shown = metered(engine, show);
  const stale = remedy === "virtio-gpu" ? false : seesOldFrame(engine, vm, sampleBytes, unitBytes);
  const commands = remedy === "virtio-gpu" ? playCommands(vm, vm.base + bytes, core) : NO_COMMANDS;
  return {
    guestCycles: drawn.of(0).cycles,
    userCycles: shown.of(core).cycles,
    ...commands,
    operations: shown.events.maintenance,
    exits,
    stale,
  };
}

/**
 * The two commands of a frame over the real queue, each with its doorbell, and a frame of a few pixels: what they cost
 * whatever the size.
 */
function playCommands(vm: Vm, queue: number, core: number): Commands {
  const { engine } = vm.hypervisor;
  const guest = vm.vcpu(0);
  const frame = queue + PAGE_BYTES;
  const doorbell = vm.memslots.all[0]!.end;
  vm.mmio(doorbell, PAGE_BYTES);
  const gpu = new VirtioGpu(
    { queue, guestBuffer: new FrameBuffer({ base: frame, width: 16, height: 1 }), resource: frame + PAGE_BYTES },
    cpuPort(guest),
    cpuPort(vm.user({ core })),
  );
  const present = () => {
    gpu.present();
    for (let command = 0; command < VIRTIO_COMMANDS; command++)
      guest.store(doorbell, 0, { size: 4, attribute: "DEVICE" });
  };
  present();
  const exits = exitsOf(vm);
  const spent = metered(engine, present);
  return {
    commandGuestCycles: spent.of(0).cycles,
    commandUserCycles: core === 0 ? 0 : spent.of(core).cycles,
    commandExits: exitsOf(vm) - exits,
  };
}

function eachPage(vm: Vm, bytes: number, work: (physical: number, size: number, offset: number) => void): void {
  for (let offset = 0; offset < bytes; offset += PAGE_BYTES) {
    work(vm.physical(vm.base + offset), Math.min(PAGE_BYTES, bytes - offset), offset);
  }
}

/** Whether the last thing that was shown isn't the last thing that was drawn (D31). */
function seesOldFrame(engine: Engine, vm: Vm, bytes: number, unitBytes: number): boolean {
  const seen = engine.lastValue();
  const last = Math.floor((bytes - 1) / unitBytes) * unitBytes;
  const size = Math.min(8, unitBytes, bytes - last);
  const drawn = engine.peek("truth", vm.physical(vm.base + last), size);
  return drawn.some((byte, index) => byte !== Number((seen >> BigInt(8 * index)) & 0xffn));
}

const exitsOf = (vm: Vm): number => Object.values(vm.statistics.exits).reduce((total, count) => total + count, 0);
