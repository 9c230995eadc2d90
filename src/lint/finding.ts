/** What lint has to say: one table of checks with their reasons, and a finding for each place. */

export interface Check {
  /** A warning is likely to go wrong and decides the exit code; a note is good to know. */
  readonly severity: "warning" | "note";
  readonly why: string;
  readonly remedy: string;
}

export const CHECKS = {
  "emulated-vga": {
    severity: "warning",
    why: "the guest maps this device's frame buffer as Device or Non-cacheable and writes it to memory, while QEMU reads the same pages through its caches: under KVM without FEAT_S2FWB the picture is stale or corrupt (R26)",
    remedy:
      'virtio-gpu-pci (libvirt: <video><model type="virtio"/></video>), whose buffers are guest RAM, or ramfb for firmware; or hosts with FEAT_S2FWB (Armv8.4), said with --fwb',
  },
  "scan-out-board": {
    severity: "warning",
    why: "this board's display controller scans out of guest RAM that the guest's driver maps Non-cacheable, while QEMU reads it through its caches: under KVM without FEAT_S2FWB the picture is stale",
    remedy: "the machine virt with virtio-gpu-pci; or hosts with FEAT_S2FWB, said with --fwb",
  },
  "shared-memory-bar": {
    severity: "warning",
    why: "the guest sees this shared memory as a PCI BAR and may map it Non-cacheable, while processes of the host use it through their caches: without FEAT_S2FWB each may read old bytes of the other",
    remedy:
      "a guest driver that maps the BAR write-back, or clean and invalidate on both sides; or virtio-fs with DAX, vsock or a virtio device instead",
  },
  "not-described-coherent": {
    severity: "warning",
    why: "QEMU and the vhost backends read and write guest RAM through the host's caches, so these are coherent; without dma-coherent the guest maps queues and buffers Non-cacheable, and each side misses what the other wrote (as in firecracker#5536)",
    remedy: "`dma-coherent;` in each of these nodes (or _CCA = 1 and IORT CCA = 1 with ACPI)",
  },
  "own-device-tree": {
    severity: "warning",
    why: "a device tree of one's own replaces the one that QEMU makes, which says dma-coherent on every virtio-mmio device and on the PCIe root complex",
    remedy: "`dma-coherent;` on each of them in that tree, or no -dtb at all; `setway lint` reads the tree itself too",
  },
  "assigned-device": {
    severity: "warning",
    why: "a device of the host does DMA by itself: QEMU tells the guest that everything behind its root complex is coherent, which must be true of this device, its SMMU and its path to memory; with FEAT_S2FWB the guest's Non-cacheable buffers become write-back, which a device that doesn't snoop never sees (R46)",
    remedy:
      "look at the host: dma-coherent above the device, or IORT CCA, CPM and DACS = 1 (`setway machine import` shows it); newer kernels' VFIO refuses a device whose way to memory isn't coherent, and with older ones it goes wrong in silence",
  },
  "x86-profile": {
    severity: "warning",
    why: "part of an x86 profile: an Arm guest has no such thing, and a definition copied from x86 brings the VGA, the disks and the CPU assumptions of x86 along",
    remedy:
      "machine virt, virtio devices on PCIe, UEFI (AAVMF) firmware, qemu-xhci for USB, and none of the hyperv, apic, pit, rtc, hpet and hypervclock settings",
  },
  "host-cpu-migration": {
    severity: "warning",
    why: "the guest sees this host's own CTR_EL0 and its effect: one that was told IDC or DIC leaves cache maintenance out, and where it was FEAT_S2FWB that made Non-cacheable memory coherent, a host without it doesn't; code and data go stale after migration to such a host",
    remedy:
      "migrate between hosts of one kind only: same core, IDC, DIC, line sizes and FWB; compare them with `setway machine import` on each",
  },
  "host-cpu": {
    severity: "note",
    why: "the guest sees this host's own CTR_EL0 (line sizes, IDC, DIC) and gets its FEAT_S2FWB or not: fine while it stays here",
    remedy: "if it is to migrate, then between hosts of one kind only",
  },
  "emulation-hides": {
    severity: "note",
    why: "TCG has no caches: whatever would go stale under KVM works here, so nothing that works here is shown to be right",
    remedy: "try it under KVM on a host without FEAT_S2FWB, or in `setway run`",
  },
  "left-to-shell": {
    severity: "note",
    why: "what stands here is only known when the script runs, which lint doesn't do: whatever it is, it wasn't looked at",
    remedy: "lint the guest as it runs: `setway lint /proc/PID/cmdline`, or what `virsh dumpxml` prints",
  },
  "aarch32-guest": {
    severity: "note",
    why: "32-bit kernels before 5.7 flush by set/way while they decompress, twice: every operation exits to KVM, and the whole guest is flushed several times",
    remedy: "a kernel from 5.7 on, which cleans by address; `setway run decompressor` shows the difference",
  },
} as const satisfies Record<string, Check>;

export type CheckName = keyof typeof CHECKS;

export interface Finding {
  readonly check: CheckName;
  readonly severity: "warning" | "note";
  readonly file: string;
  readonly line: number | undefined;
  /** What was found there. */
  readonly found: string;
  readonly why: string;
  readonly remedy: string;
}

export function finding(check: CheckName, file: string, line: number | undefined, found: string): Finding {
  const { severity, why, remedy } = CHECKS[check];
  const plain = found.replace(/[^\x20-\x7e]/g, "?");
  return { check, severity, file, line, found: plain.length > 200 ? `${plain.slice(0, 200)}...` : plain, why, remedy };
}
