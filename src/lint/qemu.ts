/** A QEMU command line as a guest: alone in a file, in a script, or as /proc/PID/cmdline has it. */
import { MachineError } from "../engine/errors.ts";
import { FRAME_BUFFER_DEVICES, type Guest, type GuestDevice, isX86Device, isX86Machine, type Said } from "./guest.ts";
import { shellWords } from "./shell-variables.ts";
import type { Word } from "./shell-words.ts";

const PROGRAM = /(^|\/)(qemu-system-[a-z0-9_]+|qemu-kvm|kvm|qemu)(\.exe)?$/;

/** Options that take a value; of the others, the next word may be an option itself. */
const DISPLAY_DEVICES = /^(virtio-gpu|ramfb|vhost-user-gpu|.*vga.*|.*-display|qxl|sm501)/i;

/** What `-vga` calls them. */
const SHORT_NAMES: ReadonlyMap<string, string> = new Map([
  ["std", "VGA"],
  ["cirrus", "cirrus-vga"],
  ["qxl", "qxl-vga"],
  ["vmware", "vmware-svga"],
  ["virtio", "virtio-vga"],
]);

interface Option extends Said {
  readonly name: string;
}

/** The options of the first QEMU command in the text that has any. Throws `MachineError` where there is none. */
export function guestOfCommandLine(file: string, text: string): Guest {
  const words = shellWords(file, text);
  const starts = words.flatMap((_, index) => (isProgram(words, index) ? [index] : []));
  // A script may look first whether there is a QEMU at all.
  const start = starts.find((index) => optionsOf(words.slice(index + 1)).length > 0) ?? starts[0] ?? -1;
  const installer = words.findIndex(({ text: word }) => /(^|\/)virt-install$/.test(word));
  if (installer >= 0 && (start < 0 || installer < start)) {
    throw new MachineError("virt-install's options aren't QEMU's", {
      file,
      found: "virt-install",
      expected: "the domain that it makes: virt-install ... --print-xml | setway lint -",
    });
  }
  // Options alone will do: some keep them in a file.
  const hasOptions = words.some(({ text: word }) => /^--?(machine|M|device|cpu|accel|enable-kvm)$/.test(word));
  if (start < 0 && !hasOptions) {
    throw new MachineError("no QEMU command line", {
      file,
      found: words.length === 0 ? "no words" : JSON.stringify(words[0]!.text.slice(0, 40)),
      expected: "qemu-system-aarch64 with its options, or a libvirt domain in XML",
    });
  }
  const program = start < 0 ? undefined : words[start];
  const own = words.slice(start + 1);
  return guestOf(file, program, optionsOf(own), lookedAtAndLeft(own));
}

/** `kvm` behind an option is what it is about: `-accel kvm`. */
function isProgram(words: readonly Word[], index: number): boolean {
  const { text = "" } = words[index] ?? {};
  const isValue = /^(kvm|qemu)$/.test(text) && /^-/.test(words[index - 1]?.text ?? "");
  return PROGRAM.test(text) && !isValue;
}

/** What a libvirt domain hands to QEMU word by word. */
export const guestOfArguments = (file: string, words: readonly Word[]): Guest =>
  guestOf(file, undefined, optionsOf(words));

/** Options that lint looks at. */
const LOOKED_AT = /^(machine|M|accel|cpu|device|vga|dtb)$/;

/** Where the shell, or who calls the script, puts in a whole option or what one of those that matter is about. */
function lookedAtAndLeft(words: readonly Word[]): Said[] {
  const ends = words.findIndex(({ first }, index) => first && index > 0);
  const own = ends < 0 ? words : words.slice(0, ends);
  return own.flatMap(({ text, line, isLeftToShell = false }, index) => {
    const option = /^--?([A-Za-z][A-Za-z0-9-]*)$/.exec(own[index - 1]?.text ?? "")?.[1];
    const [about = ""] = text.split(",");
    if (!isLeftToShell || !about.includes("$")) return [];
    if (option === undefined) return /^-?\$/.test(text) ? [{ value: text, line }] : [];
    return LOOKED_AT.test(option) ? [{ value: `-${option} ${text}`, line }] : [];
  });
}

function optionsOf(words: readonly Word[]): Option[] {
  const options: Option[] = [];
  for (const [index, { text, line, first }] of words.entries()) {
    // Another command begins.
    if (first && index > 0) break;
    const name = /^--?([A-Za-z][A-Za-z0-9-]*)$/.exec(text)?.[1];
    if (name === undefined) continue;
    const next = words[index + 1];
    const value = next === undefined || next.first || /^--?[A-Za-z]/.test(next.text) ? "" : next.text;
    options.push({ name, value, line });
  }
  return options;
}

function guestOf(
  file: string,
  program: Word | undefined,
  options: readonly Option[],
  leftToShell: readonly Said[] = [],
): Guest {
  const all = (...names: string[]) => options.filter(({ name }) => names.includes(name));
  const parsed = (option: Option): GuestDevice => ({ ...propertiesOf(option.value), line: option.line });
  const machine = all("machine", "M").map(parsed).at(-1);
  const machineType = machine === undefined ? undefined : machine.value || machine.options.get("type");
  const devices = all("device")
    .map(parsed)
    .filter(({ value }) => value !== "");
  const cpu = all("cpu").map(parsed).at(-1);
  const shortVga = all("vga").filter(({ value }) => value !== "none" && value !== "");
  const displays = [
    ...shortVga.map(
      ({ value, line }): GuestDevice => ({
        value: SHORT_NAMES.get(value) ?? value,
        line,
        options: new Map([["vga", value]]),
      }),
    ),
    ...devices.filter(({ value }) => FRAME_BUFFER_DEVICES.has(value.toLowerCase()) || DISPLAY_DEVICES.test(value)),
  ];
  const name = program?.text.split("/").at(-1) ?? "";
  return {
    source: "qemu",
    file,
    architecture: architectureOf(name, machineType),
    architectureSaid: program === undefined ? undefined : { value: name, line: program.line },
    accelerator: acceleratorOf(name, options, machine, leftToShell.length > 0),
    machine: machineType === undefined ? undefined : { value: machineType, line: machine!.line },
    cpu: cpu === undefined ? undefined : { value: cpu.value, line: cpu.line },
    displays,
    assigned: devices
      .filter(({ value }) => /^vfio-/.test(value))
      .map((device) => ({
        ...device,
        value: `${device.value} (${device.options.get("host") ?? device.options.get("sysfsdev") ?? "host device"})`,
      })),
    devices: devices.filter(({ value }) => !/^vfio-/.test(value)),
    x86Parts: x86PartsOf(options, devices, cpu),
    deviceTree:
      all("dtb")
        .map(({ value, line }) => ({ value, line }))
        .at(-1) ?? machineTree(machine),
    migration: [...all("incoming"), ...all("only-migratable")].map((option) => ({
      value: `-${option.name}`,
      line: option.line,
    })),
    aarch32:
      cpu?.options.get("aarch64") === "off"
        ? { value: "aarch64=off", line: cpu.line }
        : name === "qemu-system-arm"
          ? { value: name, line: program!.line }
          : undefined,
    leftToShell,
  };
}

const machineTree = (machine: GuestDevice | undefined): Said | undefined => {
  const dtb = machine?.options.get("dtb");
  return dtb === undefined ? undefined : { value: dtb, line: machine!.line };
};

function architectureOf(program: string, machine: string | undefined): Guest["architecture"] {
  const suffix = /^qemu-system-([a-z0-9_]+)/.exec(program)?.[1];
  if (suffix === "aarch64" || suffix === "arm" || suffix === "aarch64_be" || suffix === "armeb") return "arm";
  if (suffix === "x86_64" || suffix === "i386") return "x86";
  if (suffix !== undefined) return "other";
  if (machine === undefined) return "unknown";
  return isX86Machine(machine)
    ? "x86"
    : /^(virt(-[0-9.]+)?|sbsa-ref|vexpress-.*|raspi.*)$/.test(machine)
      ? "arm"
      : "unknown";
}

function acceleratorOf(
  program: string,
  options: readonly Option[],
  machine: GuestDevice | undefined,
  mayBeSaid: boolean,
): Guest["accelerator"] {
  // A list names what to try first to last: `kvm:tcg`.
  const asked = [
    ...options.filter(({ name }) => name === "enable-kvm").map(() => "kvm"),
    ...options.filter(({ name }) => name === "accel").map(({ value }) => value.split(",")[0]!.replace(/^accel=/, "")),
    ...(machine?.options.get("accel")?.split(":") ?? []),
  ];
  const [first] = asked;
  if (asked.includes("kvm")) return "kvm";
  // A word that isn't known may well be what asks for KVM.
  if (first === undefined) return /^(qemu-kvm|kvm)$/.test(program) ? "kvm" : mayBeSaid ? "unknown" : "tcg";
  return first === "tcg" ? "tcg" : "other";
}

/** `VGA,vgamem_mb=16`, `driver=VGA`, or JSON as newer QEMU takes it. Two commas stand for one. */
function propertiesOf(value: string): { value: string; options: ReadonlyMap<string, string> } {
  const options = new Map<string, string>();
  let name = "";
  if (value.startsWith("{")) {
    try {
      for (const [key, property] of Object.entries(JSON.parse(value) as Record<string, unknown>))
        options.set(key, String(property));
    } catch {
      return { value: "", options };
    }
  } else {
    for (const [index, part] of value.replaceAll(",,", "\u0001").split(",").entries()) {
      const [key = "", ...rest] = part.replaceAll("\u0001", ",").split("=");
      if (index === 0 && rest.length === 0) name = key;
      else options.set(key, rest.length === 0 ? "on" : rest.join("="));
    }
  }
  return { value: name || (options.get("driver") ?? options.get("type") ?? ""), options };
}

function x86PartsOf(options: readonly Option[], devices: readonly GuestDevice[], cpu: GuestDevice | undefined): Said[] {
  const parts: Said[] = [];
  for (const { name, value, line } of options) {
    if (/^(hda|hdb|hdc|hdd|fda|fdb|soundhw|no-hpet|no-acpi|win2k-hack|rtc-td-hack|no-fd-bootchk)$/.test(name)) {
      parts.push({ value: `-${name}`, line });
    }
    if (name === "drive" && /(^|,)if=(ide|floppy)(,|$)/.test(value)) parts.push({ value: "-drive if=ide", line });
    if (name === "rtc" && /driftfix/.test(value)) parts.push({ value: "-rtc driftfix", line });
    if (name === "global" && /^(kvm-pit|PIIX4_PM|ICH9-LPC|isa-)/.test(value))
      parts.push({ value: `-global ${value}`.slice(0, 60), line });
    if (name === "bios" && /(seabios|bios(-256k)?\.bin|OVMF)/i.test(value))
      parts.push({ value: `-bios ${value}`.slice(0, 60), line });
  }
  for (const { value, line } of devices) {
    if (isX86Device(value) || /^(ide-.*|floppy)$/.test(value)) parts.push({ value: `the device ${value}`, line });
  }
  for (const key of cpu?.options.keys() ?? []) {
    if (/^[+-]?hv[-_]/.test(key)) parts.push({ value: `the Hyper-V feature ${key}`, line: cpu!.line });
  }
  return parts;
}
