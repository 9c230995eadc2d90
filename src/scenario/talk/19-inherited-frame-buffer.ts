/** UEFI draws its logo, an operating system inherits the frame buffer, and somebody shows what is in memory or in his cache. */
import { FrameBuffer } from "../../devices/frame-buffer.ts";
import { cpuPort } from "../../devices/memory-port.ts";
import { VirtioGpu } from "../../devices/virtio-gpu.ts";
import { defineStory } from "../story.ts";

const inherited = defineStory({
  name: "inherited-frame-buffer",
  number: 19,
  title: "firmware draws through a cacheable mapping, the operating system through an uncached one",
  source:
    "The talk on UEFI's Graphics Output Protocol: its frame buffer outlives the firmware, and nobody says with which " +
    "attributes it was drawn. Direct pokes and Blit() differ in who can flush (tianocore/edk2#7183).",
  machine: "juno",
  needs: ["caches"],
  devices: [{ name: "hdlcd", coherent: false }],
  fixes: {
    "by-va": "firmware cleans and invalidates the frame buffer by VA when it has drawn",
    uncached: "firmware maps the frame buffer as the operating system will: Non-cacheable",
  },
  expect: ({ has }) => (has("by-va") || has("uncached") ? [] : ["stale-dma", "lost-write"]),
  play(world) {
    const cpu = world.core(0);
    const display = world.device("hdlcd");
    const screen = new FrameBuffer({ base: world.allocate(64 * 16 * 4), width: 64, height: 16 });
    const show = (frame: number) => {
      const { units, wrong } = screen.scanOut(display, frame);
      world.tell(`wrong units of ${units} on the screen`, wrong);
    };

    world.step("firmware draws its logo");
    screen.draw(cpu, 1, { attribute: world.has("uncached") ? "NON_CACHEABLE" : "WRITE_BACK" });
    if (world.has("by-va")) cpu.maintain("DC_CIVAC", screen.base, screen.bytes);
    cpu.dsb();
    show(1);

    world.step("firmware leaves; the operating system draws its console, write-combining");
    screen.draw(cpu, 2, { attribute: "NON_CACHEABLE" });
    cpu.dsb();
    show(2);

    world.step("the firmware's lines leave the caches, in their own time");
    for (let at = screen.base; at < screen.base + screen.bytes; at += 32) world.replace(cpu, at);
    show(2);
  },
});

/** Blit() goes through the driver, which can ask for a transfer; a poke at the linear frame buffer tells nobody. */
const blit = defineStory({
  name: "gop-blit",
  number: 19,
  title: "in a VM, firmware draws by GOP Blit through virtio-gpu, or pokes at an emulated adapter's frame buffer",
  source:
    "The talk on UEFI's console in a VM: Blit() can be served by virtio-gpu, where nothing is shared uncached; " +
    "whoever pokes at the linear frame buffer needs the emulated adapter that KVM cannot make coherent " +
    "(tianocore/edk2#7183).",
  machine: "juno",
  needs: ["caches"],
  eras: ["modern", "4.1"],
  fixes: { blit: "everything is drawn by Blit(), through virtio-gpu" },
  expect: ({ has }) => (has("blit") ? [] : ["stale-read"]),
  play(world) {
    const vm = world.hypervisor().createVm({ memory: 0x20_0000, starts: "caches on" });
    const firmware = vm.vcpu(0);
    const user = vm.user();
    const screen = new FrameBuffer({ base: vm.base + 0x10_0000, width: 64, height: 16 });
    if (world.has("blit")) {
      const resource = vm.base + 0x18_0000;
      const gpu = new VirtioGpu({ queue: vm.base, guestBuffer: screen, resource }, cpuPort(firmware), cpuPort(user));
      for (const frame of [1, 2]) {
        world.step(`Blit() draws frame ${frame}`);
        screen.draw(firmware, frame);
        gpu.present();
        world.check("wrong units on the screen", gpu.shown(cpuPort(user), frame).wrong, 0);
      }
      return;
    }
    for (const frame of [1, 2]) {
      world.step(`a boot loader pokes frame ${frame} into the frame buffer; the VMM shows it`);
      screen.draw(firmware, frame, { attribute: "NON_CACHEABLE" });
      world.tell("wrong units on the screen", screen.show(user, frame).wrong);
    }
  },
});

export default [inherited, blit];
