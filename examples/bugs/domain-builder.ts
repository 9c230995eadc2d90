/**
 * A domain's first code is copied into its memory by somebody whose caches are on, and executed by a guest whose caches are
 * off. Pages are flushed when they are allocated; what the builder writes afterwards needs a flush of its own.
 */
import { defineStory } from "setway";

const PAGE = 4096;

export default defineStory({
  name: "domain-builder",
  title: "a domain's kernel is copied by a builder with its caches on, and starts with its own off",
  source: "Xen ed250c269831: xen/arm: clean and invalidate all guest caches by VMID after domain build.",
  machine: "x-gene",
  needs: ["caches"],
  eras: ["none"],
  fixes: {
    "flush-at-allocation": "each page is cleaned and invalidated when the domain gets it",
    "flush-after-build": "everything that the builder touched is cleaned and invalidated before the domain starts",
  },
  variants: [[], ["flush-at-allocation"], ["flush-after-build"], ["flush-at-allocation", "flush-after-build"]],
  expect: ({ has }) => {
    const image = has("flush-after-build") ? [] : (["stale-fetch"] as const);
    const heap = has("flush-at-allocation") ? [] : (["leak"] as const);
    return [...image, ...heap];
  },
  play(world) {
    const mapFlush = world.has("flush-at-allocation") ? "always" : "never";
    const host = world.hypervisor({ policy: { mapFlush } });

    world.step("another domain, its caches off, has used the memory, and gives it back");
    const other = host.createVm({ memory: 2 * PAGE, starts: "reset" });
    for (const page of [0, 1]) other.vcpu(0).store(other.base + page * PAGE, 0x5ec4e7);
    other.discard();
    world.step("the domain's pages are allocated and scrubbed; the builder copies a kernel into the first");
    const domain = host.createVm({ memory: 2 * PAGE, starts: "reset" });
    domain.populate();
    const builder = domain.user();
    builder.store(domain.base, 0xc0de);
    if (world.has("flush-after-build")) {
      builder.maintain("DC_CIVAC", domain.base, PAGE);
      builder.dsb();
    }
    world.step("the domain starts");
    const cpu = domain.vcpu(0);
    world.tell("its first instruction", cpu.fetch(domain.base));
    world.tell("its fresh memory", cpu.load(domain.base + PAGE));
  },
});
