/** The machine that a study plays on, with what the study varies changed: features, devices, TLBs. */
import type { Device, Features, ResolvedMachine, TlbGeometry } from "../machine/resolved.ts";

const NO_FEATURES: Features = { idc: false, dic: false, fwb: false, ccidx: false };

/** CTR_EL0.IDC and DIC and FEAT_S2FWB set or cleared; what isn't named stays. */
export function withFeatures(machine: ResolvedMachine, changed: Partial<Features>): ResolvedMachine {
  return {
    ...machine,
    features: { ...NO_FEATURES, ...machine.features, ...changed },
    idc: changed.idc ?? machine.idc,
    dic: changed.dic ?? machine.dic,
  };
}

/** One DMA master more, in socket 0. */
export function withDevice(machine: ResolvedMachine, name: string, coherent: boolean): ResolvedMachine {
  const device: Device = {
    name,
    requester: machine.cores.length + machine.devices.length,
    coherent,
    socket: 0,
    allocate: "memory",
  };
  return { ...machine, devices: [...machine.devices, device] };
}

export const withTlb = (machine: ResolvedMachine, changed: Partial<TlbGeometry>): ResolvedMachine => ({
  ...machine,
  tlb: { ...machine.tlb, ...changed },
});
