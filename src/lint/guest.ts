/** What a guest's definition says that matters for caches, whether it came from libvirt or from a QEMU command line. */

/** One thing that the definition says, and where. */
export interface Said {
  readonly value: string;
  readonly line: number;
}

export interface GuestDevice extends Said {
  /** Further properties, such as `host=0000:01:00.0`. */
  readonly options: ReadonlyMap<string, string>;
}

export interface Guest {
  readonly source: "libvirt" | "qemu";
  readonly file: string;
  /** `arm` for both instruction sets. */
  readonly architecture: "arm" | "x86" | "other" | "unknown";
  readonly architectureSaid: Said | undefined;
  readonly accelerator: "kvm" | "tcg" | "other" | "unknown";
  readonly machine: Said | undefined;
  readonly cpu: Said | undefined;
  /** Names of display devices, in QEMU's words. */
  readonly displays: readonly GuestDevice[];
  /** Host devices given to the guest. */
  readonly assigned: readonly GuestDevice[];
  /** Every other device, in QEMU's words where it has them. */
  readonly devices: readonly GuestDevice[];
  /** Parts of an x86 machine or of its usual profile. */
  readonly x86Parts: readonly Said[];
  /** A device tree of the user's own. */
  readonly deviceTree: Said | undefined;
  /** Signs that the guest is to be migrated. */
  readonly migration: readonly Said[];
  /** A 32-bit guest. */
  readonly aarch32: Said | undefined;
  /** What a script leaves to the shell where lint would look. */
  readonly leftToShell: readonly Said[];
}

/** Displays whose frame buffer is memory of the device that the guest maps itself, and QEMU reads. */
export const FRAME_BUFFER_DEVICES: ReadonlySet<string> = new Set([
  "vga",
  "std",
  "stdvga",
  "secondary-vga",
  "cirrus",
  "cirrus-vga",
  "isa-vga",
  "isa-cirrus-vga",
  "qxl",
  "qxl-vga",
  "vmvga",
  "vmware",
  "vmware-svga",
  "bochs",
  "bochs-display",
  "ati-vga",
  "sm501",
  "xenfb",
  "virtio-vga",
  "virtio-vga-gl",
  "vhost-user-vga",
  "vbox",
]);

/** Shared memory of host processes that the guest sees as a BAR. */
export const SHARED_MEMORY_DEVICES: ReadonlySet<string> = new Set(["ivshmem", "ivshmem-plain", "ivshmem-doorbell"]);

/** Machine types of x86; versions follow a hyphen. */
export const isX86Machine = (type: string): boolean =>
  /^(pc|q35|isapc|microvm|xenfv|xenpv|pc-(i440fx|q35|[0-9]).*|(microvm|xenfv)-.*)$/i.test(type);

/** Arm boards whose own display controller scans out of guest memory. */
export const SCAN_OUT_BOARDS: ReadonlySet<string> = new Set([
  "vexpress-a9",
  "vexpress-a15",
  "versatilepb",
  "versatileab",
  "realview-eb",
  "realview-pb-a8",
  "realview-pbx-a9",
  "integratorcp",
]);

/** Processor models that only x86 has. */
export const isX86Cpu = (model: string): boolean =>
  /^(qemu(32|64)|kvm(32|64)|486|pentium.*|athlon|phenom|core2duo|coreduo|n270|conroe|penryn|nehalem|westmere|sandybridge|ivybridge|haswell|broadwell|skylake|cascadelake|cooperlake|icelake|sapphirerapids|graniterapids|snowridge|denverton|knightsmill|opteron_.*|epyc|dhyana|yongfeng)([-_].*)?$/i.test(
    model,
  );

/** QEMU devices that only an x86 machine has a place for. */
export const isX86Device = (name: string): boolean =>
  /^(isa-.*|piix.*|ich9-ahci|ich9-intel-hda|hyperv-.*|vmbus-bridge|vmcoreinfo-isa|pc-dimm-isa|i8042|ib700|pvpanic|kvm-pit|hpet|sga|vmport|vmmouse|applesmc|intel-iommu|amd-iommu)$/i.test(
    name,
  );
