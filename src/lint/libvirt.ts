/** A libvirt domain (https://libvirt.org/formatdomain.html) as a guest. */
import { MachineError } from "../engine/errors.ts";
import { element, elements, type XmlElement } from "../machine/import/xml.ts";
import { type Guest, type GuestDevice, isX86Machine, type Said } from "./guest.ts";
import { guestOfArguments } from "./qemu.ts";

const NO_OPTIONS: ReadonlyMap<string, string> = new Map();

/** libvirt's names of video models, in QEMU's words for the machine type virt. */
const VIDEO_MODELS: ReadonlyMap<string, string> = new Map([
  ["vga", "VGA"],
  ["cirrus", "cirrus-vga"],
  ["qxl", "qxl-vga"],
  ["vmvga", "vmware-svga"],
  ["bochs", "bochs-display"],
  ["virtio", "virtio-gpu-pci"],
]);

const X86_TIMERS: ReadonlySet<string> = new Set(["pit", "rtc", "hpet", "tsc", "kvmclock", "hypervclock"]);
const X86_FEATURES = ["hyperv", "apic", "pae", "smm", "vmport", "ioapic"];
const X86_USB = /^(piix|ich9)/;

export function guestOfDomain(file: string, root: XmlElement): Guest {
  const domain = root.name === "domainsnapshot" || root.name === "domstatus" ? (element(root, "domain") ?? root) : root;
  if (domain.name !== "domain") {
    throw new MachineError("not a libvirt domain", {
      file,
      line: root.line,
      found: `<${root.name.slice(0, 40)}>`,
      expected: "<domain>, as `virsh dumpxml` prints it",
    });
  }
  const type = domain.attributes.get("type") ?? "";
  const os = element(domain, "os");
  const osType = element(os, "type");
  const features = element(domain, "features");
  const devices = element(domain, "devices");
  const cpu = element(domain, "cpu");
  const architecture = osType?.attributes.get("arch");
  const machine = osType?.attributes.get("machine");
  const passed = passedThrough(file, domain);
  return {
    source: "libvirt",
    file,
    architecture: architectureOf(architecture, machine),
    architectureSaid: architecture === undefined ? undefined : { value: architecture, line: osType!.line },
    accelerator: type === "kvm" ? "kvm" : type === "qemu" ? "tcg" : type === "" ? "unknown" : "other",
    machine: machine === undefined ? undefined : { value: machine, line: osType!.line },
    cpu: cpuOf(cpu),
    displays: [...elements(devices, "video").flatMap(displayOf), ...passed.displays],
    assigned: [...elements(devices, "hostdev").flatMap(assignedOf), ...passed.assigned],
    devices: [
      ...passed.devices,
      ...elements(devices, "shmem").map((shmem): GuestDevice => {
        const model = element(shmem, "model")?.attributes.get("type") ?? "ivshmem";
        return { value: model, line: shmem.line, options: NO_OPTIONS };
      }),
    ],
    x86Parts: [...x86PartsOf(domain, features, devices, cpu), ...passed.x86Parts],
    deviceTree: saidBy(element(os, "dtb")) ?? passed.deviceTree,
    migration: cpu?.attributes.get("migratable") === "on" ? [{ value: 'migratable="on"', line: cpu.line }] : [],
    aarch32: architecture === "armv7l" ? { value: "armv7l", line: osType!.line } : undefined,
    leftToShell: [],
  };
}

/** `<qemu:commandline>`: QEMU's own options, past libvirt. */
function passedThrough(file: string, domain: XmlElement): Guest {
  const words = elements(element(domain, "qemu:commandline"), "qemu:arg").map((arg) => ({
    text: arg.attributes.get("value") ?? "",
    line: arg.line,
    first: false,
  }));
  return guestOfArguments(file, words);
}

function architectureOf(architecture: string | undefined, machine: string | undefined): Guest["architecture"] {
  if (architecture === undefined) return machine !== undefined && isX86Machine(machine) ? "x86" : "unknown";
  if (/^(aarch64|armv[678].*)$/.test(architecture)) return "arm";
  return /^(x86_64|i[3-6]86)$/.test(architecture) ? "x86" : "other";
}

const saidBy = (source: XmlElement | undefined): Said | undefined =>
  source === undefined ? undefined : { value: source.text.trim(), line: source.line };

function cpuOf(cpu: XmlElement | undefined): Said | undefined {
  if (cpu === undefined) return undefined;
  const mode = cpu.attributes.get("mode");
  const model = element(cpu, "model");
  if (mode === undefined || mode === "custom") {
    return model === undefined ? undefined : { value: model.text.trim(), line: model.line };
  }
  return { value: mode, line: cpu.line };
}

function displayOf(video: XmlElement): GuestDevice[] {
  const model = element(video, "model");
  const type = model?.attributes.get("type") ?? "";
  if (type === "none" || type === "") return [];
  return [{ value: VIDEO_MODELS.get(type) ?? type, line: model!.line, options: new Map([["libvirt", type]]) }];
}

function assignedOf(hostdev: XmlElement): GuestDevice[] {
  const type = hostdev.attributes.get("type") ?? "";
  if (type !== "pci" && type !== "mdev") return [];
  const address = element(element(hostdev, "source"), "address")?.attributes;
  const digits = (key: string, length: number) => (address?.get(key) ?? "0").replace(/^0x/, "").padStart(length, "0");
  const host =
    type === "mdev"
      ? (address?.get("uuid") ?? "")
      : `${digits("domain", 4)}:${digits("bus", 2)}:${digits("slot", 2)}.${digits("function", 1)}`;
  return [{ value: `vfio-pci (${type} ${host})`, line: hostdev.line, options: NO_OPTIONS }];
}

function x86PartsOf(
  domain: XmlElement,
  features: XmlElement | undefined,
  devices: XmlElement | undefined,
  cpu: XmlElement | undefined,
): Said[] {
  const parts: Said[] = [];
  for (const name of X86_FEATURES) {
    for (const feature of elements(features, name)) parts.push({ value: `<${name}>`, line: feature.line });
  }
  for (const timer of elements(element(domain, "clock"), "timer")) {
    const name = timer.attributes.get("name") ?? "";
    if (X86_TIMERS.has(name)) parts.push({ value: `the timer ${name}`, line: timer.line });
  }
  for (const feature of elements(cpu, "feature")) {
    const name = feature.attributes.get("name") ?? "";
    if (/^(vmx|svm|lahf_lm|invtsc|pcid|avx|sse|md-clear|spec-ctrl|ssbd)/.test(name)) {
      parts.push({ value: `the processor feature ${name}`, line: feature.line });
    }
  }
  for (const controller of elements(devices, "controller")) {
    const [type, model = ""] = [controller.attributes.get("type"), controller.attributes.get("model") ?? ""];
    if (
      type === "ide" ||
      type === "fdc" ||
      (type === "usb" && X86_USB.test(model)) ||
      (type === "pci" && model === "pci-root")
    ) {
      parts.push({ value: `the ${type} controller ${model}`.trim(), line: controller.line });
    }
  }
  for (const disk of elements(devices, "disk")) {
    const bus = element(disk, "target")?.attributes.get("bus");
    if (bus === "ide" || bus === "fdc") parts.push({ value: `a disk on the bus ${bus}`, line: disk.line });
  }
  for (const input of elements(devices, "input")) {
    if (input.attributes.get("bus") === "ps2")
      parts.push({ value: `a ${input.attributes.get("type") ?? "device"} on the bus ps2`, line: input.line });
  }
  for (const sound of elements(devices, "sound")) {
    const model = sound.attributes.get("model") ?? "";
    if (/^(sb16|pcspk)$/.test(model)) parts.push({ value: `the sound card ${model}`, line: sound.line });
  }
  for (const serial of elements(devices, "serial")) {
    if (element(serial, "target")?.attributes.get("type") === "isa-serial")
      parts.push({ value: "an isa-serial port", line: serial.line });
  }
  return parts;
}
