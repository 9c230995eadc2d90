/** Forcing a guest to be cacheable helps the host's own accesses, and hurts whoever isn't coherent. */
import { HCR } from "../../engine/system-registers.ts";
import { defineStory } from "../story.ts";

const BYTES = 4096;

export default defineStory({
  name: "forced-cacheable",
  number: 11,
  title: "a boot loader with its caches off reads a DMA buffer that stage 2 forces to be cacheable",
  source:
    "The other side of the talk's remedy: with FEAT_S2FWB an uncached guest is cached after all, so an assigned " +
    "device that isn't coherent writes underneath its lines, and the guest, sure to be uncached, maintains nothing " +
    "(Arm ARM: FEAT_S2FWB, MemAttr 0b0110).",
  machine: "graviton3",
  needs: ["caches", "fwb"],
  devices: [
    { name: "nic", coherent: false },
    { name: "coherent-nic", coherent: true },
  ],
  eras: ["fwb"],
  fixes: {
    "stage-1-decides":
      "stage 2 leaves the buffer's attribute to the guest (MemAttr 0b0111), and the host flushes it at map",
    "hcr-cd": "HCR_EL2.CD undoes the forcing for all that the guest does, and the host flushes at map",
    "coherent-device": "the assigned device is a coherent one",
    "by-va": "the guest invalidates the buffer by VA although its caches are off",
  },
  expect: ({ has }) =>
    has("stage-1-decides") || has("hcr-cd") || has("coherent-device") || has("by-va") ? [] : ["stale-read"],
  play(world) {
    const uncached = world.has("stage-1-decides") || world.has("hcr-cd");
    const hypervisor = world.hypervisor(uncached ? { policy: { mapFlush: "always" } } : {});
    const vm = hypervisor.createVm({
      memory: [{ bytes: BYTES, ...(world.has("stage-1-decides") ? { attribute: "stage 1" as const } : {}) }],
      starts: "reset",
      ...(world.has("hcr-cd") ? { hcr: { set: HCR.CD } } : {}),
    });
    const loader = vm.vcpu(0);
    const nic = world.device(world.has("coherent-device") ? "coherent-nic" : "nic");

    world.step("the boot loader, caches off, clears its receive buffer");
    loader.fill(vm.base, BYTES, 0n);
    const buffer = vm.physical(vm.base);
    world.watch("the buffer", buffer);
    if (world.has("by-va")) {
      loader.maintain("DC_CIVAC", vm.base, BYTES);
      loader.dsb();
    }

    world.step("the assigned device receives a packet");
    nic.write(buffer, 0xfeedn, 1500);

    world.step("the boot loader reads the packet");
    if (world.has("by-va")) {
      loader.maintain("DC_IVAC", vm.base, BYTES);
      loader.dsb();
    }
    world.tell("it reads", loader.load(vm.base));
  },
});
