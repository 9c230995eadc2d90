/** What stories ask about a machine before they say what will go wrong on it: a handful of yes-or-no facts. */
import { coreRegisters, levelsOfClidr } from "../machine/registers.ts";
import type { ResolvedMachine } from "../machine/resolved.ts";

export interface MachineTraits {
  readonly name: string;
  readonly resolved: ResolvedMachine;
  readonly cores: number;
  readonly sockets: number;
  /** Whether cores have data caches at all; `flat` has none. */
  readonly caches: boolean;
  readonly instructionCaches: boolean;
  /** A cache before the PoC that CLIDR_EL1 doesn't list (R4). */
  readonly systemCache: boolean;
  /** A PL310-like cache that only its own registers reach (R4). */
  readonly outerCache: boolean;
  /** A cache behind the PoC. */
  readonly memorySideCache: boolean;
  /** A full loop by set/way on core 0 leaves nothing dirty above the PoC (other cores aside). */
  readonly setWayReachesPoc: boolean;
  /** Data caches are clean to where fetches look (CTR_EL0.IDC, LoC = 0, or LoUU = LoUIS = 0). */
  readonly idc: boolean;
  /** Stores invalidate instruction caches (CTR_EL0.DIC). */
  readonly dic: boolean;
  readonly fwb: boolean;
  /** Uncached accesses snoop the caches, as on x86 (R14). */
  readonly ncSnoops: boolean;
  readonly aarch32: "none" | "el0" | "all";
  /** The first core whose lines no set/way operation of core 0 reaches, through no shared inclusive cache either; -1: none. */
  readonly peerOutOfReach: number;
}

export function traitsOf(machine: ResolvedMachine): MachineTraits {
  const data = machine.caches.filter(({ holds }) => holds !== "instructions");
  const { loc } = levelsOfClidr(coreRegisters(machine, 0).clidr);
  const systemCache = machine.caches.some(({ kind }) => kind === "system");
  return {
    name: machine.name,
    resolved: machine,
    cores: machine.cores.length,
    sockets: machine.sockets,
    caches: data.length > 0,
    instructionCaches: machine.caches.some(({ holds }) => holds === "instructions"),
    systemCache,
    outerCache: machine.outer !== undefined,
    memorySideCache: machine.memorySide.some((cache) => cache !== undefined),
    setWayReachesPoc: data.length === 0 || (!systemCache && loc > 0),
    idc: machine.idc,
    dic: machine.dic,
    fwb: machine.features?.fwb ?? false,
    ncSnoops: machine.ncSnoops,
    aarch32: machine.aarch32,
    peerOutOfReach: machine.cores.findIndex(
      ({ id }) =>
        id > 0 &&
        !data.some(
          ({ cores, setWay, inclusionOfData }) =>
            setWay && inclusionOfData === "inclusive" && cores.includes(0) && cores.includes(id),
        ),
    ),
  };
}
