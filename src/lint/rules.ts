/** Which checks a guest fails. The reasons stand in `finding.ts`. */
import { type Finding, finding } from "./finding.ts";
import {
  FRAME_BUFFER_DEVICES,
  type Guest,
  isX86Cpu,
  isX86Machine,
  type Said,
  SCAN_OUT_BOARDS,
  SHARED_MEMORY_DEVICES,
} from "./guest.ts";

export interface HostFacts {
  /** The host's cores have FEAT_S2FWB. */
  readonly fwb: boolean;
}

export function lintGuest(guest: Guest, host: HostFacts): Finding[] {
  const { file } = guest;
  const found: Finding[] = [];
  const add = (check: Parameters<typeof finding>[0], said: Said, text: string) =>
    found.push(finding(check, file, said.line, text));
  // Without KVM there are no caches to disagree; where it isn't said, the worst is taken.
  const withCaches = guest.accelerator !== "tcg";
  const mismatched = withCaches && !host.fwb;

  if (guest.architecture === "x86" && guest.architectureSaid !== undefined) {
    add("x86-profile", guest.architectureSaid, `the architecture ${guest.architectureSaid.value}`);
  }
  if (guest.machine !== undefined && isX86Machine(guest.machine.value)) {
    add("x86-profile", guest.machine, `the machine type ${guest.machine.value}`);
  }
  if (guest.cpu !== undefined && isX86Cpu(guest.cpu.value))
    add("x86-profile", guest.cpu, `the processor ${guest.cpu.value}`);
  for (const part of guest.x86Parts) add("x86-profile", part, part.value);

  const isFrameBuffer = ({ value }: Said) => FRAME_BUFFER_DEVICES.has(value.toLowerCase());
  for (const display of guest.displays.filter(isFrameBuffer)) {
    if (mismatched) add("emulated-vga", display, `the display ${display.value}`);
  }
  if (mismatched && guest.machine !== undefined && SCAN_OUT_BOARDS.has(guest.machine.value)) {
    add("scan-out-board", guest.machine, `the board ${guest.machine.value}`);
  }
  for (const device of guest.devices) {
    if (mismatched && SHARED_MEMORY_DEVICES.has(device.value))
      add("shared-memory-bar", device, `the device ${device.value}`);
  }
  for (const device of guest.assigned) add("assigned-device", device, `the host's device ${device.value}`);
  // These boards have no other tree, and QEMU adds coherent virtio devices to it (vexpress_modify_dtb).
  const isBoardTree = guest.machine !== undefined && SCAN_OUT_BOARDS.has(guest.machine.value);
  if (guest.deviceTree !== undefined && mismatched && !isBoardTree) {
    add("own-device-tree", guest.deviceTree, `the device tree ${guest.deviceTree.value}`);
  }
  const takesHost = guest.cpu !== undefined && /^(host|max|host-passthrough|maximum)$/.test(guest.cpu.value);
  if (takesHost && withCaches) {
    const [sign] = guest.migration;
    if (sign !== undefined)
      add("host-cpu-migration", guest.cpu, `the processor ${guest.cpu.value}, with ${sign.value} in line ${sign.line}`);
    else add("host-cpu", guest.cpu, `the processor ${guest.cpu.value}`);
  }
  if (guest.aarch32 !== undefined && withCaches) add("aarch32-guest", guest.aarch32, guest.aarch32.value);
  if (guest.accelerator === "tcg") {
    found.push(finding("emulation-hides", file, undefined, "no KVM: QEMU emulates the processor"));
  }
  for (const said of guest.leftToShell) add("left-to-shell", said, said.value);
  return found.sort(
    (a, b) => Number(a.severity === "note") - Number(b.severity === "note") || (a.line ?? 0) - (b.line ?? 0),
  );
}
