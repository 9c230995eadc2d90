/** A page that the guest uses with its caches off, while the host's own mapping of it is cacheable. */
import { defineStory } from "../story.ts";

const PAGE_BYTES = 4096;
/** Enough pages that the next guest gets some of the first one's, whatever else the host takes. */
const GUEST_BYTES = 16 * PAGE_BYTES;
const SECRET = 0x5ec2e7n;

export default defineStory({
  name: "swap-out",
  number: 4,
  title: "a page that a guest writes with its caches off goes to swap and comes back",
  source:
    "The talk on swapping: I/O that snoops finds clean old lines of the host's alias and writes them to the disk; " +
    "the other way round, the host's zeroes are still in a cache and the guest reads what the page's last owner left " +
    "(Linux 363ef89f8e9b: arm/arm64: KVM: Invalidate data cache on unmap).",
  machine: "seattle",
  needs: ["caches"],
  devices: [{ name: "disk", coherent: true }],
  eras: ["modern", "none", "4.1", "fwb"],
  fixes: {
    "flush-at-map": "the host cleans and invalidates a page by VA before the guest gets it",
    "flush-at-unmap": "the host cleans and invalidates a page by VA when the guest has lost it, before its I/O",
  },
  variants: [[], ["flush-at-map"], ["flush-at-unmap"], ["flush-at-map", "flush-at-unmap"]],
  expect: ({ has, era, machine }) => {
    if (!machine.caches || era === "fwb") return [];
    if (has("flush-at-map")) return has("flush-at-unmap") ? [] : ["stale-dma"];
    // A PL310 takes the flushed zeroes in, where only the guest's uncached accesses of some kinds look.
    if (has("flush-at-unmap") && machine.outerCache) return { must: ["leak"], may: ["lost-write", "stale-dma"] };
    return has("flush-at-unmap") ? ["leak", "lost-write", "stale-dma"] : ["leak", "stale-dma"];
  },
  play(world) {
    const hypervisor = world.hypervisor({
      disk: "disk",
      policy: { mapFlush: world.has("flush-at-map") ? "always" : "never", unmapFlush: world.has("flush-at-unmap") },
    });

    world.step("an earlier guest leaves secrets in its pages, in memory, and ends");
    const earlier = hypervisor.createVm({ name: "earlier guest", memory: GUEST_BYTES, starts: "caches on" });
    const tenant = earlier.vcpu(0);
    tenant.fill(earlier.base, GUEST_BYTES, SECRET);
    tenant.maintain("DC_CIVAC", earlier.base, GUEST_BYTES);
    tenant.dsb();
    earlier.destroy();

    world.step("another guest gets the pages, zeroed; its caches are still off, and it reads them");
    const vm = hypervisor.createVm({ name: "guest", memory: GUEST_BYTES, starts: "reset" });
    const cpu = vm.vcpu(0);
    for (let page = 0; page < GUEST_BYTES; page += PAGE_BYTES) cpu.load(vm.base + page);
    world.watch("the page", vm.physical(vm.base));

    world.step("the core speculates through the host's cacheable alias, and the guest writes with its caches off");
    hypervisor.host().prefetch(vm.physical(vm.base));
    cpu.store(vm.base, 0x900dn);

    world.step("the host swaps the page out, and in again when the guest touches it");
    vm.swapOut(vm.base);
    world.tell("the guest reads", cpu.load(vm.base));
  },
});
