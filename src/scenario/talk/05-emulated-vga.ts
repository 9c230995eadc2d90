/**
 * Emulated VGA: the guest maps the frame buffer as a device's, the VMM that shows it has it cacheable. Six remedies, two
 * hammers, and the same guest under an emulator that has no caches at all.
 */
import { FrameBuffer } from "../../devices/frame-buffer.ts";
import { cpuPort } from "../../devices/memory-port.ts";
import { VirtioGpu } from "../../devices/virtio-gpu.ts";
import { HCR } from "../../engine/system-registers.ts";
import { Stage1Tables } from "../../hypervisor/index.ts";
import { defineStory, type Situation } from "../story.ts";
import type { World } from "../world.ts";

const BAR = 0x1000_0000;
const BAR_BYTES = 0x10_0000;
const RAM_BYTES = 0x20_0000;
const SCREEN = { width: 64, height: 16 };

const fixes = {
  "force-cacheable": "stage 2 forces the BAR to be Write-Back whatever the guest says (FEAT_S2FWB)",
  "vmm-maintains": "the VMM cleans and invalidates every line before it looks",
  "vmm-uncached": "the VMM maps the BAR Non-cacheable",
  "guest-cached": "the guest maps the BAR Write-Back",
  "trap-every-access": "no memory behind the BAR: every access of the guest exits to the VMM",
  "described-coherent": "firmware describes the adapter as coherent, so the guest maps its memory Write-Back",
  "virtio-gpu": "no shared frame buffer: the guest draws into its own memory and asks for the transfer",
  "hcr-dc":
    "HCR_EL2.DC: the guest's stage 1 is off and everything is Write-Back (a hammer: its page tables mean nothing)",
  "hcr-cd": "HCR_EL2.CD: everything that the guest does is Non-cacheable (the other hammer: no fix at all)",
} as const;
type Fix = keyof typeof fixes;

const CURES: readonly Fix[] = ["force-cacheable", "vmm-maintains", "trap-every-access", "virtio-gpu", "hcr-dc"];

function expected({ has, machine }: Situation<Fix>) {
  if (!machine.caches || CURES.some(has)) return [];
  const guestIsCached = (has("guest-cached") || has("described-coherent")) && !has("hcr-cd");
  return guestIsCached === !has("vmm-uncached") ? [] : (["stale-read"] as const);
}

function play(world: World<Fix>): void {
  const hypervisor = world.hypervisor(world.has("force-cacheable") ? { era: "fwb" } : {});
  const vm = hypervisor.createVm({
    memory: [{ bytes: RAM_BYTES }],
    starts: "caches on",
    ...(world.has("hcr-dc") ? { hcr: { set: HCR.DC } } : world.has("hcr-cd") ? { hcr: { set: HCR.CD } } : {}),
  });
  const cpu = vm.vcpu(0);
  const screen = new FrameBuffer({ base: BAR, ...SCREEN, unitBytes: world.has("trap-every-access") ? 8 : 64 });
  const user = vm.user(world.has("vmm-uncached") ? { attribute: "NON_CACHEABLE" } : {});

  if (world.has("virtio-gpu")) {
    const own = new FrameBuffer({ base: vm.base + 0x10_0000, ...SCREEN });
    const resource = vm.base + 0x18_0000;
    const gpu = new VirtioGpu({ queue: vm.base, guestBuffer: own, resource }, cpuPort(cpu), cpuPort(user));
    for (const frame of [1, 2]) {
      world.step(`the guest draws frame ${frame} into its own memory and asks for the transfer`);
      own.draw(cpu, frame);
      gpu.present();
      world.check("wrong units on the screen", gpu.shown(cpuPort(user), frame).wrong, 0);
    }
    return;
  }

  if (world.has("trap-every-access")) {
    const backing = world.allocate(BAR_BYTES);
    const device = screen.emulated(cpuPort(hypervisor.host()), backing);
    vm.mmio(BAR, BAR_BYTES, device);
    for (const frame of [1, 2]) {
      world.step(`the guest draws frame ${frame}: every store exits`);
      screen.draw(cpu, frame);
      const { wrong } = screen.show(hypervisor.host(), frame, { base: backing });
      world.check("wrong units on the screen", wrong, 0);
    }
    world.tell("exits to the VMM", vm.statistics.exits.mmio);
    return;
  }

  vm.addMemslot({
    base: BAR,
    bytes: BAR_BYTES,
    name: "VGA BAR",
  });
  const cached = world.has("guest-cached") || world.has("described-coherent");
  const drawn = { attribute: cached ? ("WRITE_BACK" as const) : ("DEVICE" as const) };
  const shown = world.has("vmm-maintains") ? { maintain: "DC_CIVAC" as const } : {};
  world.step("the guest clears the screen, and the VMM shows it");
  screen.draw(cpu, 0, drawn);
  world.tell("wrong units on the screen", screen.show(user, 0, shown).wrong);
  world.watch("the first pixels", vm.physical(BAR));
  for (const frame of [1, 2]) {
    world.step(`the guest draws frame ${frame} and the VMM shows it`);
    screen.draw(cpu, frame, drawn);
    world.tell("wrong units on the screen", screen.show(user, frame, shown).wrong);
  }

  if (!world.has("hcr-dc")) return;
  world.step("what DC breaks: a guest with page tables of its own");
  const other = hypervisor.createVm({
    name: "guest with page tables",
    memory: [{ bytes: RAM_BYTES }],
    stage1: "tables",
    starts: "reset",
    hcr: { set: HCR.DC },
  });
  const kernel = other.vcpu(0);
  const tables = new Stage1Tables(kernel, { memory: { base: other.base + 0x10_0000, bytes: 0x10_0000 } });
  tables.map(0x7000_0000, other.base, 4096);
  tables.install();
  kernel.sctlr({ m: true, c: true, i: true });
  const fault = kernel.expectFault(() => kernel.load(0x7000_0000));
  world.check("a virtual address that its tables map faults all the same", fault !== undefined, true);
}

const source =
  "The talk's central bug: a guest writes an emulated adapter's memory uncached while QEMU reads its cacheable " +
  "mapping of the same pages; the picture stays old. EDK2 dropped its driver for it (tianocore/edk2#7183).";

const onKvm = defineStory({
  name: "emulated-vga",
  number: 5,
  title: "a guest draws on an emulated VGA adapter, uncached; the VMM shows what its cache remembers",
  source,
  machine: "graviton3",
  needs: ["caches", "fwb"],
  eras: ["modern"],
  fixes,
  variants: [
    [],
    ...(Object.keys(fixes) as Fix[]).filter((fix) => fix !== "guest-cached").map((fix) => [fix]),
    ["vmm-uncached", "guest-cached"],
  ],
  expect: expected,
  play,
});

const onTcg = defineStory({
  name: "emulated-vga-tcg",
  number: 6,
  title: "the same guest under an emulator: no caches, no bug",
  source:
    "The talk: QEMU's TCG has one memory and no caches, so what is broken under KVM works there (QEMU " +
    "target/arm/helper.c: DC and IC by VA are checked and do nothing).",
  machine: "flat",
  needs: [{ has: ({ caches }) => !caches, lacks: "has caches: that is the other story" }],
  eras: ["none"],
  fixes: { "vmm-maintains": fixes["vmm-maintains"] },
  expect: () => [],
  play(world) {
    const vm = world.hypervisor().createVm({ memory: [{ base: BAR, bytes: BAR_BYTES }], starts: "caches on" });
    const screen = new FrameBuffer({ base: BAR, ...SCREEN });
    for (const frame of [1, 2]) {
      world.step(`the guest draws frame ${frame} and the VMM shows it`);
      screen.draw(vm.vcpu(0), frame, { attribute: "DEVICE" });
      const shown = world.has("vmm-maintains") ? { maintain: "DC_CIVAC" as const } : {};
      world.check("wrong units on the screen", screen.show(vm.user(), frame, shown).wrong, 0);
    }
  },
});

export default [onKvm, onTcg];
