/** Do driver and device see each other's rings, byte for byte, and go stale where one of them looks past the caches? */
import { describe, expect, it } from "vitest";
import { BareCpu } from "../../src/cpu/bare.ts";
import {
  cpuPort,
  DeviceQueue,
  DmaEngine,
  DriverQueue,
  FrameBuffer,
  layoutQueue,
  VirtioGpu,
} from "../../src/devices/index.ts";
import type { Engine } from "../../src/engine/engine.ts";
import { createKernel } from "../../src/engine/kernel.ts";
import { loadMachine } from "../../src/machine/index.ts";

const BASE = 0x10_0000;
const rig = (machine: string) => {
  const engine: Engine = createKernel(loadMachine(machine));
  return { engine, driver: new BareCpu(engine, 0), vmm: new BareCpu(engine, 1) };
};

describe("a queue", () => {
  it("is laid out as virtio 1.2 says", () => {
    expect(layoutQueue(BASE, 8)).toEqual({
      size: 8,
      descriptors: BASE,
      available: BASE + 128,
      used: BASE + 152,
      base: BASE,
      bytes: 222,
    });
  });

  it("hands chains of buffers over and back, round and round", () => {
    const { engine, driver, vmm } = rig("rpi4");
    const layout = layoutQueue(BASE, 4);
    const guest = new DriverQueue(cpuPort(driver), layout);
    const host = new DeviceQueue(cpuPort(vmm), layout);
    guest.initialize();
    expect(host.next()).toBeUndefined();
    expect(guest.collect()).toBeUndefined();
    for (let round = 0; round < 10; round++) {
      const address = BASE + 0x1_0000 + round * 64;
      const head = guest.add([
        { address, bytes: 16 },
        { address: address + 32, bytes: 8, deviceWrites: true },
      ]);
      expect(host.next()).toEqual({
        head,
        buffers: [
          { address, bytes: 16, deviceWrites: false },
          { address: address + 32, bytes: 8, deviceWrites: true },
        ],
      });
      host.complete(head, 8);
      expect(guest.collect()).toEqual({ head, bytes: 8 });
    }
    expect(engine.hazards()).toEqual([]);
  });

  it("ends a chain that a broken driver has made a loop of", () => {
    const { driver, vmm } = rig("rpi4");
    const layout = layoutQueue(BASE, 4);
    const guest = new DriverQueue(cpuPort(driver), layout);
    const host = new DeviceQueue(cpuPort(vmm), layout);
    guest.initialize();
    guest.add([{ address: BASE, bytes: 1 }]);
    driver.store(layout.descriptors + 12, 1n, { size: 2 });
    driver.store(layout.descriptors + 14, 0n, { size: 2 });
    expect(host.next()?.buffers).toHaveLength(4);
  });

  it("isn't seen by a device that doesn't snoop", () => {
    const { engine, driver } = rig("rpi4");
    const layout = layoutQueue(BASE, 4);
    const guest = new DriverQueue(cpuPort(driver), layout);
    const host = new DeviceQueue(new DmaEngine(engine, "dma"), layout);
    guest.initialize();
    guest.add([{ address: BASE, bytes: 1 }]);
    expect(host.next()).toBeUndefined();
    expect(engine.hazards().map((hazard) => hazard.class)).toContain("stale-dma");
  });
});

describe("displays", () => {
  it("virtio-gpu shows what was drawn, frame by frame, without maintenance", () => {
    const { engine, driver, vmm } = rig("seattle");
    const screen = new FrameBuffer({ base: BASE + 0x1_0000, width: 32, height: 8 });
    const memory = { queue: BASE, guestBuffer: screen, resource: BASE + 0x2_0000 };
    const gpu = new VirtioGpu(memory, cpuPort(driver), cpuPort(vmm));
    for (let frame = 1; frame <= 3; frame++) {
      screen.draw(driver, frame);
      gpu.present();
      expect(gpu.answered()).toBe(true);
      expect(gpu.shown(cpuPort(vmm), frame)).toEqual({ units: 16, wrong: 0 });
    }
    expect(engine.hazards()).toEqual([]);
  });

  it("a frame buffer tells how much of a frame is old", () => {
    const { driver, vmm } = rig("seattle");
    const screen = new FrameBuffer({ base: BASE, width: 32, height: 8 });
    screen.draw(driver, 1);
    expect(screen.show(vmm, 1)).toEqual({ units: 16, wrong: 0 });
    screen.draw(driver, 2, { rows: [0, 4] });
    expect(screen.show(vmm, 2)).toEqual({ units: 16, wrong: 8 });
    expect(screen.show(vmm, 2, { rows: [0, 4], maintain: "DC_CIVAC" })).toEqual({ units: 8, wrong: 0 });
  });
});
