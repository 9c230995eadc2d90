/**
 * What taking pages from a guest costs, page by page, and giving them back: with the flushes that KVM makes at unmap and
 * map on cores without FEAT_S2FWB, and without them, over rates at which a host swaps.
 */
import { Hypervisor } from "../hypervisor/index.ts";
import { withDevice, withFeatures } from "./machine-variants.ts";
import { metered, type Spent } from "./meter.ts";
import { defineStudy, type StudyContext } from "./study.ts";

const PAGE_BYTES = 4096;
const DISK = "study-disk";

export const unmapFlush = defineStudy({
  name: "unmap-flush",
  summary: "flushing each page that is swapped out and in, against FEAT_S2FWB, over swap rates",
  machine: "seattle",
  parameters: {
    rate: {
      summary: "pages that go to the disk and come back",
      unit: "a second",
      least: 1,
      most: 10_000_000,
      factor: 10,
      default: "100..1000000",
    },
    policy: {
      summary: "flush: Linux 6.12 without FEAT_S2FWB; fwb: the same with it",
      words: ["flush", "fwb"],
      default: "all",
    },
    dirty: {
      summary: "share of a page's lines that the guest has just written when it goes",
      unit: "%",
      least: 0,
      most: 100,
      default: "25",
    },
    sample: {
      summary: "pages that are really played",
      unit: "count",
      least: 1,
      most: 16384,
      whole: true,
      single: true,
      default: "128",
    },
  },
  columns: [
    { key: "linesOut", title: "lines out", summary: "DC CIVAC at unmap, a page" },
    { key: "cyclesOut", title: "cycles out", summary: "CPU: unmap, TLBI, flush, a page; without the disk's reads" },
    { key: "linesIn", title: "lines in", summary: "DC CIVAC at map, a page" },
    { key: "cyclesIn", title: "cycles in", summary: "CPU: the guest's fault and first load, map, flush, a page" },
    { key: "flushCycles", title: "of these flush", summary: "maintenance and its writebacks and barriers, a page" },
    { key: "cyclesPerPage", title: "cycles a page", summary: "out and in together" },
    {
      key: "coresPercent",
      title: "% of a core",
      summary: "what the rate takes of one core at the assumed clock; over 100: of several",
      digits: 3,
    },
  ],
  chart: {
    x: ["rate", "dirty"],
    y: [{ key: "coresPercent", label: "% of a core" }],
    yTitle: "% of one core",
  },
  assumptions: [
    "the disk's DMA is coherent; its time is not the CPU's, nor is the kernel's own bookkeeping",
    "each page is unmapped alone, with a TLBI of its own; the guest's next load faults it in",
    "nothing in the page has been executed: instruction caches are not maintained",
  ],
  measure: ({ rate, policy, dirty, sample }, context) => {
    const { out, back } = context.once({ policy, dirty, sample }, () => play(policy, dirty, sample, context));
    if (policy === "fwb" && context.machine.features?.fwb !== true) {
      context.note(`${context.machine.name} lacks FEAT_S2FWB: policy fwb is played as if it had it`);
    }
    context.note(`played ${sample} pages; rates are that cost times the pages a second: cost is additive (R32)`);
    const cyclesPerPage = out.cycles + back.cycles;
    return {
      linesOut: out.lines,
      cyclesOut: Math.round(out.cycles),
      linesIn: back.lines,
      cyclesIn: Math.round(back.cycles),
      flushCycles: Math.round(out.flushCycles + back.flushCycles),
      cyclesPerPage: Math.round(cyclesPerPage),
      coresPercent: (100 * rate * cyclesPerPage) / (context.ghz * 1e9),
    };
  },
});

/** Of one page. */
interface PerPage {
  readonly lines: number;
  readonly cycles: number;
  readonly flushCycles: number;
}

function play(policy: "flush" | "fwb", dirty: number, pages: number, context: StudyContext) {
  const machine = withDevice(withFeatures(context.machine, { fwb: policy === "fwb" }), DISK, true);
  const engine = context.createEngine(machine);
  const hypervisor = new Hypervisor(engine, { era: policy === "fwb" ? "fwb" : "modern", disk: DISK });
  const vm = hypervisor.createVm({ memory: pages * PAGE_BYTES, starts: "caches on" });
  const guest = vm.vcpu(0);
  vm.populate();
  const line = machine.smallestLineBytes;
  const each = (work: (ipa: number) => void) => {
    for (let page = 0; page < pages; page++) work(vm.base + page * PAGE_BYTES);
  };
  const dirtyBytes = Math.floor(((PAGE_BYTES / line) * dirty) / 100) * line;
  const flushedLines = () => {
    const { pagesFlushedAtMap, pagesFlushedAtUnmap } = vm.statistics;
    return ((pagesFlushedAtMap + pagesFlushedAtUnmap) * PAGE_BYTES) / line;
  };
  const perPage = (work: () => void): PerPage => {
    const before = flushedLines();
    const spent: Spent = metered(engine, work).of(guest.core);
    const flushed = flushedLines() - before;
    const { maintenance = 0, writeback = 0, dsb = 0 } = spent.byCause;
    return {
      lines: flushed / pages,
      cycles: spent.cycles / pages,
      flushCycles: flushed > 0 ? (maintenance + writeback + dsb) / pages : 0,
    };
  };
  each((ipa) => {
    if (dirtyBytes > 0) guest.store(ipa, 1n, { size: dirtyBytes });
  });
  const out = perPage(() => each((ipa) => vm.swapOut(ipa)));
  const back = perPage(() => each((ipa) => guest.load(ipa)));
  return { out, back };
}
