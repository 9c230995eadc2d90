/** The hypervisor: one machine's host, its policy, its free pages, its disk, and the VMs that it runs. */
import type { Engine } from "../engine/engine.ts";
import { SetwayError } from "../engine/errors.ts";
import type { ResolvedMachine } from "../machine/resolved.ts";
import { Cores } from "./cores.ts";
import { Disk } from "./disk.ts";
import { type EraName, type EraPolicy, type Policy, type PolicyStep, policyOf } from "./eras.ts";
import { HostCpu } from "./host.ts";
import { PageAllocator, type PhysicalRange } from "./pages.ts";
import { Vcpu } from "./vcpu.ts";
import { Vm, type VmOptions } from "./vm.ts";

export interface HypervisorOptions {
  readonly era: EraName;
  /** Steps of the era's policy that are left out. */
  readonly without?: readonly PolicyStep[];
  /** Fields of the era's policy that are replaced. */
  readonly policy?: Partial<EraPolicy>;
  /** RAM that it may hand out; default all. What is handed out comes from the lowest address up. */
  readonly ram?: readonly PhysicalRange[];
  /** Where the host's threads run unless told otherwise; default core 0. */
  readonly hostCore?: number;
  /** Device of the machine behind which the swap disk is; default the first coherent one. */
  readonly disk?: string;
  /** Told what the hypervisor does, for people. */
  readonly onStep?: (step: HypervisorStep) => void;
}

export interface HypervisorStep {
  readonly vm: string;
  /** Number of the virtual CPU it was done for, if any. */
  readonly vcpu: number | undefined;
  /** Records played so far. */
  readonly records: number;
  /** A clause: "caches off: the whole VM is cleaned and invalidated by VA". */
  readonly what: string;
}

export class Hypervisor {
  readonly engine: Engine;
  readonly policy: Policy;
  readonly pages: PageAllocator;
  readonly cores: Cores;
  readonly disk: Disk;
  readonly hostCore: number;
  readonly #vms: Vm[] = [];
  readonly #onStep: ((step: HypervisorStep) => void) | undefined;

  /** Throws where the engine carries no data (tables are bytes), or the machine's cores cannot do what the era needs. */
  constructor(engine: Engine, options: HypervisorOptions) {
    if (!engine.carriesData) {
      throw new SetwayError("usage", "a hypervisor's tables are bytes in memory", {
        found: "an engine without data",
        expected: "an engine that carries data",
      });
    }
    this.engine = engine;
    this.policy = policyOf(engine.machine, options.era, options.policy, options.without);
    this.pages = new PageAllocator(engine.machine, options.ram);
    this.cores = new Cores(engine, this.policy);
    this.disk = new Disk(engine, this.cores, options.disk);
    this.hostCore = options.hostCore ?? 0;
    this.#onStep = options.onStep;
  }

  get machine(): ResolvedMachine {
    return this.engine.machine;
  }

  get vms(): readonly Vm[] {
    return this.#vms;
  }

  createVm(options: VmOptions): Vm {
    const vm = new Vm(this, this.#vms.length + 1, options);
    this.#vms.push(vm);
    return vm;
  }

  /** The host's kernel on a core: a `Cpu` by physical address, through its cacheable linear map. */
  host(core = this.hostCore): HostCpu {
    return new HostCpu(this.engine, this.cores, core);
  }

  /** Says what is done, and for whom, to whoever listens. */
  tell(whom: Vm | Vcpu, what: string): void {
    if (this.#onStep === undefined) return;
    const [vm, vcpu] = whom instanceof Vcpu ? [whom.vm, whom.index] : [whom, undefined];
    this.#onStep({ vm: vm.name, vcpu, records: this.engine.records, what });
  }
}
