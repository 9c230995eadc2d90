/**
 * What a guest writes with its caches off goes to memory. Meanwhile the host's cacheable alias of the same page may have been
 * speculated into a cache, and when the guest turns its caches on, that is what it reads.
 */
import { defineStory } from "setway";

export default defineStory({
  name: "guest-turns-caches-on",
  title: "a guest turns its caches on and finds in them what its page was before",
  source: "Linux 9d218a1fcf4c: arm64: KVM: flush VM pages before letting the guest enable caches",
  machine: "seattle",
  needs: ["caches"],
  eras: ["modern", "4.1"],
  fixes: { "flush-at-on": "the whole VM is cleaned and invalidated when SCTLR_EL1.M and C become set" },
  expect: ({ has }) => (has("flush-at-on") ? [] : ["stale-read"]),
  play(world) {
    const host = world.hypervisor({ without: world.has("flush-at-on") ? [] : ["flush at SCTLR on"] });
    const vm = host.createVm({ memory: 0x1_0000, starts: "reset" });
    const cpu = vm.vcpu(0);

    world.step("the guest's first access faults its page in");
    cpu.load(vm.base);
    world.watch("the guest's page", vm.physical(vm.base));
    world.step("a core of the host speculates through the linear map");
    host.host().prefetch(vm.physical(vm.base));
    world.step("the guest, its caches off, writes");
    cpu.store(vm.base, 0x1234);
    world.step("it turns MMU and caches on, and reads");
    cpu.sctlr({ m: true, c: true, i: true });
    world.tell("it reads", cpu.load(vm.base));
  },
});
