/**
 * TLB entries are tagged with VMID and ASID, and two virtual CPUs of a VM may use one ASID for different tables: on cores of
 * their own nobody would notice. On one core, the second uses the translations of the first.
 */
import { defineStory, Stage1Tables } from "setway";

const PAGE = 4096;
const VA = 0x7000_0000;

export default defineStory({
  name: "vcpus-share-translations",
  title: "two virtual CPUs take turns on a core, and one goes through the other's page tables",
  source: "Linux 94d0e5980d67: arm/arm64: KVM: Perform local TLB invalidation when multiplexing vcpus on a single CPU",
  machine: "juno",
  eras: ["modern", "fwb"],
  fixes: { "local-tlbi": "a core forgets the VM's translations when it gets another virtual CPU of it" },
  expect: ({ has }) => (has("local-tlbi") ? [] : ["wrong-result"]),
  play(world) {
    const host = world.hypervisor({ without: world.has("local-tlbi") ? [] : ["TLBI between virtual CPUs"] });
    const vm = host.createVm({ memory: 64 * PAGE, vcpus: 2, cores: [0, 0], stage1: "tables" });
    const [first, second] = [vm.vcpu(0), vm.vcpu(1)];

    world.step("each virtual CPU maps one VA to a page of its own, with one ASID");
    for (const [index, cpu] of [first, second].entries()) {
      const page = vm.base + index * PAGE;
      cpu.store(page, 0x100 + index);
      const memory = { base: vm.base + (16 + 16 * index) * PAGE, bytes: 16 * PAGE };
      new Stage1Tables(cpu, { memory }).map(VA, page, PAGE, { global: false }).install();
    }
    world.step("both turn their MMU on; the first reads its page");
    for (const cpu of [first, second]) cpu.sctlr({ m: true, c: true, i: true });
    world.result("the first reads", first.load(VA), 0x100n);
    world.step("the second is scheduled on the same core and reads its own");
    world.result("the second reads", second.load(VA), 0x101n);
  },
});
