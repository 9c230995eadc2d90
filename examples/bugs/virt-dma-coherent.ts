/**
 * An emulated device is a thread of the VMM, and reads guest memory through its caches. A guest that isn't told so allocates
 * its rings uncached, as for a device that doesn't snoop, and the two see different rings.
 */
import {
  CoherentPool,
  concludeDma,
  cpuPort,
  DeviceQueue,
  type DeviceTreeNode,
  DriverQueue,
  defineStory,
  layoutQueue,
} from "setway";

const PAGE = 4096;

export default defineStory({
  name: "virt-dma-coherent",
  title: "the device tree doesn't say that an emulated PCI host bridge snoops, so its ring is uncached",
  source: "QEMU 5d636e21: hw/arm/virt: mark the PCIe host controller as DMA coherent in the DT",
  machine: "seattle",
  needs: ["caches"],
  eras: ["modern", "4.1", "fwb"],
  fixes: { "dma-coherent": "the device tree has dma-coherent in the host bridge's node" },
  expect: ({ has, era }) => (has("dma-coherent") || era === "fwb" ? [] : ["stale-read", "wrong-result"]),
  play(world) {
    const vm = world.hypervisor().createVm({ memory: 16 * PAGE, starts: "caches on" });
    const guest = vm.vcpu(0);
    const bridge: DeviceTreeNode = { name: "pcie", "dma-coherent": world.has("dma-coherent") };
    const { conclusion, because } = concludeDma(
      { kind: "device tree", root: { name: "/", children: [bridge] } },
      "pcie",
    );

    world.step("the guest reads its device tree and allocates a ring");
    world.tell("Linux concludes", `${conclusion}: ${because}`);
    const pool = new CoherentPool(guest, () => vm.base, { coherent: conclusion === "coherent" });
    const { address, attribute } = pool.allocate(PAGE);
    const layout = layoutQueue(address, 8);
    const driver = new DriverQueue(cpuPort(guest, { attribute }), layout);
    const device = new DeviceQueue(cpuPort(vm.user()), layout);
    driver.initialize();

    world.step("the VMM looks at the ring: nothing yet");
    world.result("requests", device.next()?.head, undefined);
    world.step("the guest adds a request and kicks");
    const head = driver.add([{ address: vm.base + PAGE, bytes: 512 }]);
    world.step("the VMM looks again");
    world.result("the request", device.next()?.head, head);
  },
});
