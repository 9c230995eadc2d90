/**
 * Invalidating a buffer before a device fills it throws away what the CPU has just written: zeroes, if the page is for user
 * space. What the device doesn't fill is then what was in memory before, somebody else's.
 */
import { DmaApi, defineStory } from "setway";

const PAGE = 4096;

export default defineStory({
  name: "from-device-leak",
  title: "a zeroed page is mapped for a device that fills only part of it, and given to user space",
  source: "Linux c50f11c6196f: arm64: mm: Don't invalidate FROM_DEVICE buffers at start of DMA transfer",
  machine: "rpi4",
  needs: ["caches"],
  devices: [{ name: "nic", coherent: false }],
  fixes: { clean: "dma_map cleans the buffer instead of invalidating it" },
  expect: ({ has, machine }) => {
    if (has("clean") || machine.resolved.invalidateCleans) return [];
    return ["leak", "lost-write"];
  },
  play(world) {
    const cpu = world.core(0);
    const page = world.allocate(PAGE);

    world.step("the page's last owner has left a secret in memory");
    cpu.fill(page, PAGE, 0x5ec4e7);
    cpu.maintain("DC_CIVAC", page, PAGE);
    cpu.dsb();
    world.step("the kernel zeroes the page and maps it for receiving");
    cpu.fill(page, PAGE, 0);
    const dma = new DmaApi(cpu);
    if (world.has("clean")) dma.map(page, PAGE, "from-device");
    else {
      cpu.maintain("DC_IVAC", page, PAGE);
      cpu.dsb();
    }
    world.step("a short packet arrives");
    world.device("nic").write(page, 0xabc, 64);
    dma.unmap(page, PAGE, "from-device");
    world.step("user space gets the page and looks behind the packet");
    world.giveAway(page);
    world.tell("it reads", cpu.load(page + PAGE / 2));
  },
});
