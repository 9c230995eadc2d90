/** Guests for the tests of lint: good ones, and each with one thing that goes wrong. */

const domain = (parts: {
  type?: string;
  os?: string;
  cpu?: string;
  features?: string;
  clock?: string;
  devices?: string;
}) => `<domain type='${parts.type ?? "kvm"}'>
  <name>guest</name>
  <memory unit='GiB'>4</memory>
  <os>
    ${parts.os ?? "<type arch='aarch64' machine='virt-9.0'>hvm</type>"}
  </os>
  <features>
    <acpi/>
    <gic version='3'/>
    ${parts.features ?? ""}
  </features>
  ${parts.cpu ?? "<cpu mode='custom'><model>cortex-a57</model></cpu>"}
  <clock offset='utc'>${parts.clock ?? ""}</clock>
  <devices>
    <emulator>/usr/bin/qemu-system-aarch64</emulator>
    <disk type='file' device='disk'><target dev='vda' bus='virtio'/></disk>
    <controller type='usb' model='qemu-xhci'/>
    <controller type='pci' model='pcie-root'/>
    <input type='keyboard' bus='usb'/>
    ${parts.devices ?? "<video><model type='virtio' heads='1' primary='yes'/></video>"}
  </devices>
</domain>
`;

const video = (model: string) => `<video>
      <model type='${model}' vram='16384'/>
    </video>`;

/** A definition, and the checks that it fails, warnings first. */
export const DOMAINS: readonly (readonly [string, string, readonly string[]])[] = [
  ["a sound guest", domain({}), []],
  ...["vga", "cirrus", "qxl", "bochs", "vmvga"].map(
    (model) => [`video ${model}`, domain({ devices: video(model) }), ["emulated-vga"]] as const,
  ),
  ["ramfb and no video", domain({ devices: video("ramfb") + video("none") }), []],
  ["VGA without KVM", domain({ type: "qemu", devices: video("vga") }), ["emulation-hides"]],
  [
    "an assigned PCI device",
    domain({
      devices: `<hostdev mode='subsystem' type='pci' managed='yes'>
      <source><address domain='0x0000' bus='0x01' slot='0x00' function='0x0'/></source>
    </hostdev>`,
    }),
    ["assigned-device"],
  ],
  [
    "shared memory",
    domain({ devices: "<shmem name='a'><model type='ivshmem-plain'/></shmem>" }),
    ["shared-memory-bar"],
  ],
  ["a host's processor", domain({ cpu: "<cpu mode='host-passthrough'/>" }), ["host-cpu"]],
  [
    "a host's processor, to be migrated",
    domain({ cpu: "<cpu mode='host-passthrough' migratable='on'/>" }),
    ["host-cpu-migration"],
  ],
  [
    "a device tree of its own",
    domain({ os: "<type arch='aarch64' machine='virt'>hvm</type><dtb>/tmp/no.dtb</dtb>" }),
    ["own-device-tree"],
  ],
  ["a machine q35", domain({ os: "<type arch='aarch64' machine='pc-q35-9.0'>hvm</type>" }), ["x86-profile"]],
  ["an x86 guest", domain({ os: "<type arch='x86_64' machine='pc'>hvm</type>" }), ["x86-profile", "x86-profile"]],
  [
    "Hyper-V features and x86 timers",
    domain({
      features: "<hyperv mode='custom'><relaxed state='on'/></hyperv>",
      clock: "<timer name='hypervclock' present='yes'/><timer name='pit'/>",
    }),
    ["x86-profile", "x86-profile", "x86-profile"],
  ],
  ["an IDE disk", domain({ devices: "<disk type='file'><target dev='hda' bus='ide'/></disk>" }), ["x86-profile"]],
  [
    "QEMU's own options",
    domain({}).replace(
      "</devices>",
      "</devices><qemu:commandline><qemu:arg value='-device'/><qemu:arg value='bochs-display'/></qemu:commandline>",
    ),
    ["emulated-vga"],
  ],
  ["a video model of JavaScript's", domain({ devices: video("constructor") }), []],
  ["a 32-bit guest", domain({ os: "<type arch='armv7l' machine='virt'>hvm</type>" }), ["aarch32-guest"]],
];

const QEMU = "qemu-system-aarch64 -machine virt,accel=kvm,gic-version=3 -m 4G -nographic";

// biome-ignore-start lint/suspicious/noTemplateCurlyInString: the shell's
export const COMMANDS: readonly (readonly [string, string, readonly string[]])[] = [
  [
    "a sound guest",
    `${QEMU} -cpu cortex-a57 -device virtio-gpu-pci -device virtio-blk-pci,drive=d -drive if=none,id=d,file=x`,
    [],
  ],
  ["-device VGA", `${QEMU} -device VGA,vgamem_mb=16`, ["emulated-vga"]],
  ["-vga std", "qemu-system-aarch64 -M virt -enable-kvm -vga std", ["emulated-vga"]],
  ["options alone", "-M virt -enable-kvm -vga cirrus", ["emulated-vga"]],
  ["options alone, KVM last", "-M virt -device VGA -accel kvm", ["emulated-vga"]],
  ["-vga of JavaScript's", "qemu-system-aarch64 -M virt -enable-kvm -vga constructor", []],
  ["-vga none", `${QEMU} -vga none`, []],
  [
    "cirrus, qxl, bochs",
    `${QEMU} -device cirrus-vga -device qxl -device driver=bochs-display`,
    ["emulated-vga", "emulated-vga", "emulated-vga"],
  ],
  ["a device as JSON", `${QEMU} -device '{"driver":"qxl-vga","id":"video0"}'`, ["emulated-vga"]],
  ["ramfb", `${QEMU} -device ramfb`, []],
  ["no KVM", "qemu-system-aarch64 -M virt -cpu max -device VGA", ["emulation-hides"]],
  ["an accelerator of its own option", "qemu-system-aarch64 -M virt -accel kvm -device VGA", ["emulated-vga"]],
  ["vfio", `${QEMU} -device vfio-pci,host=0000:01:00.0`, ["assigned-device"]],
  ["ivshmem", `${QEMU} -device ivshmem-plain,memdev=m`, ["shared-memory-bar"]],
  ["a device tree", `${QEMU} -dtb no-such.dtb`, ["own-device-tree"]],
  [
    "arguments in an array",
    'a=(\n -M virt,accel=kvm # board\n -device VGA\n)\na+=(-m 2G)\nqemu-system-aarch64 "${a[@]}"',
    ["emulated-vga"],
  ],
  ["variables", 'GPU="-device VGA" Q=qemu-system-aarch64\n$Q -M virt -accel ${ACC:-kvm} $GPU', ["emulated-vga"]],
  ["a quoted variable is one word", 'A="VGA -device qxl"\nqemu-system-aarch64 -enable-kvm -device "$A"', []],
  ["a command's output", `${QEMU} -smp $(nproc --all) -m \`free; x\` -device VGA`, ["emulated-vga"]],
  [
    "what only the shell knows",
    `${QEMU} -device $GPU -drive file=$IMG $MORE "$@"`,
    ["left-to-shell", "left-to-shell", "left-to-shell"],
  ],
  [
    "an accelerator that only the shell knows",
    "qemu-system-aarch64 -M virt -accel $A -vga std",
    ["emulated-vga", "left-to-shell"],
  ],
  ["TCG whatever comes", 'qemu-system-aarch64 -M virt -accel tcg -vga std "$@"', ["emulation-hides", "left-to-shell"]],
  ["single quotes", `${QEMU} -device 'x$GPU' -append '$(reboot)'`, []],
  ["a look whether QEMU is there", `command -v qemu-system-aarch64 || exit\n${QEMU} -device VGA`, ["emulated-vga"]],
  ["-cpu host", `${QEMU} -cpu host`, ["host-cpu"]],
  ["-cpu host and -incoming", `${QEMU} -cpu host -incoming tcp:0:4444`, ["host-cpu-migration"]],
  ["a 32-bit guest", `${QEMU} -cpu host,aarch64=off`, ["host-cpu", "aarch32-guest"]],
  [
    "a Versatile Express",
    "qemu-system-arm -M vexpress-a15 -enable-kvm -dtb no.dtb",
    ["scan-out-board", "aarch32-guest"],
  ],
  ["machine q35", "qemu-system-aarch64 -M q35 -accel kvm", ["x86-profile"]],
  ["an x86 program", "qemu-system-x86_64 -M pc -accel kvm -cpu Haswell", ["x86-profile", "x86-profile", "x86-profile"]],
  ["Hyper-V features", "qemu-kvm -M virt -cpu cortex-a57,hv_relaxed", ["x86-profile"]],
  [
    "parts of x86",
    `${QEMU} -hda disk.img -device isa-serial,chardev=c -device piix3-usb-uhci`,
    ["x86-profile", "x86-profile", "x86-profile"],
  ],
];
// biome-ignore-end lint/suspicious/noTemplateCurlyInString: the shell's
