/** A guest learns at boot what its host's caches do, and then finds itself on another host. */
import { defineStory } from "../story.ts";

const PAGE_BYTES = 4096;
const OLD_CODE = 0x0123_4567n;
const NEW_CODE = 0x89ab_cdefn;

/** CTR_EL0 was read where IDC and DIC are set; the code is patched where they aren't. */
const code = defineStory({
  name: "migrated-code",
  number: 12,
  title: "a guest patches code as its first host allowed, on a host that needs more",
  source:
    "The talk on migration: IDC and DIC are facts of a host. A guest that was told of them leaves DC CVAU and IC " +
    "IVAU out for ever (KVM makes CTR_EL0 writable within safe limits).",
  machine: "seattle",
  needs: ["caches"],
  eras: ["modern"],
  fixes: {
    "expose-less": "the VMM shows the guest CTR_EL0 without IDC and DIC from the beginning",
  },
  expect: ({ has, machine }) => (has("expose-less") || (machine.idc && machine.dic) ? [] : ["stale-fetch"]),
  play(world) {
    const told = { idc: !world.has("expose-less"), dic: !world.has("expose-less") };
    const vm = world.hypervisor().createVm({ memory: 2 * PAGE_BYTES, starts: "caches on", expose: told });
    const cpu = vm.vcpu(0);
    const at = vm.base;
    const publish = () => {
      if (!told.idc) cpu.maintain("DC_CVAU", at, 64);
      cpu.dsb();
      if (!told.dic) {
        cpu.maintain("IC_IVAU", at, 64);
        cpu.dsb();
      }
      cpu.isb();
    };

    world.step("on its new host the guest runs a function");
    cpu.store(at, OLD_CODE, { size: 4 });
    cpu.maintain("DC_CVAU", at, 64);
    cpu.dsb();
    cpu.maintain("IC_IVAU", at, 64);
    cpu.dsb();
    cpu.isb();
    cpu.fetch(at);

    world.step(`it patches the function; it was told ${told.idc ? "IDC and DIC: barriers will do" : "to maintain"}`);
    cpu.store(at, NEW_CODE, { size: 4 });
    publish();
    world.tell("it executes", cpu.fetch(at));
  },
});

/** Pages arrive through the VMM's cacheable mapping; the guest, caches off, reads memory. */
const page = defineStory({
  name: "migrated-page",
  number: 12,
  title: "an uncached guest moves from a host with forced Write-Back to one without",
  source:
    "The talk on migration: FEAT_S2FWB made the guest's accesses cacheable; on a host without it the pages that the " +
    "VMM has just received lie in caches that the guest doesn't look into (Linux 6.12 arch/arm64/kvm/hyp/pgtable.c: " +
    "nothing is flushed with FEAT_S2FWB).",
  machine: "graviton3",
  needs: ["caches", "fwb"],
  eras: ["modern"],
  fixes: { "flush-at-map": "the new host cleans and invalidates each page by VA before the guest gets it" },
  expect: ({ has }) => (has("flush-at-map") ? [] : { must: ["stale-read"], may: ["leak"] }),
  play(world) {
    const source = world.hypervisor({ era: "fwb" });
    const target = world.hypervisor({ without: world.has("flush-at-map") ? [] : ["flush at map"] });

    world.step("the guest, caches off, writes its page on the first host");
    const vm = source.createVm({ memory: PAGE_BYTES, starts: "reset" });
    vm.vcpu(0).fill(vm.base, PAGE_BYTES, 0x900dn);

    world.step("it is migrated");
    const { vm: moved } = vm.migrateTo(target);

    world.step("it reads its page on the second host");
    world.tell("it reads", moved.vcpu(0).load(moved.base));
  },
});

/** The emulated adapter was coherent, as everything is that a VMM does; the physical one that takes its place isn't. */
const adapter = defineStory({
  name: "adapter-swapped",
  number: 12,
  title: "an emulated network adapter is swapped for a physical one, and only one of them snoops",
  source:
    "The talk on device passthrough: what firmware told the guest at boot about coherence must still be true after " +
    "the device behind it has changed (Linux drivers/of/address.c: of_dma_is_coherent).",
  machine: "juno",
  needs: ["caches"],
  devices: [{ name: "physical-nic", coherent: false }],
  eras: ["modern"],
  fixes: {
    "described-truthfully": "the adapter is unplugged and another one, described as not coherent, is plugged in",
  },
  expect: ({ has }) => (has("described-truthfully") ? [] : { must: ["stale-dma"], may: [] }),
  play(world) {
    const vm = world.hypervisor().createVm({ memory: 2 * PAGE_BYTES, starts: "caches on" });
    const cpu = vm.vcpu(0);
    const nic = world.device("physical-nic");
    const send = (frame: bigint, maintained: boolean) => {
      cpu.fill(vm.base, PAGE_BYTES, frame);
      if (maintained) cpu.maintain("DC_CVAC", vm.base, PAGE_BYTES);
      cpu.dsb();
    };

    world.step("the guest sends a packet by the emulated adapter: the VMM reads it with its own core");
    send(1n, false);
    world.check("the VMM reads", vm.user().load(vm.base), 1n);

    world.step("the VMM puts a physical adapter in its place, and the guest sends another");
    send(2n, world.has("described-truthfully"));
    world.tell("the adapter reads", nic.read(vm.physical(vm.base)));
  },
});

export default [code, page, adapter];
