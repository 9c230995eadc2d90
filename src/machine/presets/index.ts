/** The machines that come with the package, by name. */
import type { MachineDescription } from "../schema.ts";
import { altraDualSocket } from "./altra-2s.ts";
import { exynos3250 } from "./exynos3250.ts";
import { exynos4412 } from "./exynos4412.ts";
import { flat } from "./flat.ts";
import { graviton3 } from "./graviton3.ts";
import { host100c } from "./host-100c.ts";
import { juno } from "./juno.ts";
import { kunpeng916DualSocket } from "./kunpeng916-2s.ts";
import { kunpeng920DualSocket } from "./kunpeng920-2s.ts";
import { rpi4 } from "./rpi4.ts";
import { seattle } from "./seattle.ts";
import { tc2 } from "./tc2.ts";
import { thunderxDualSocket } from "./thunderx-2s.ts";
import { xGene } from "./x-gene.ts";

export const PRESET_NAMES = [
  "seattle",
  "x-gene",
  "thunderx-2s",
  "altra-2s",
  "kunpeng916-2s",
  "kunpeng920-2s",
  "graviton3",
  "tc2",
  "exynos3250",
  "exynos4412",
  "rpi4",
  "juno",
  "host-100c",
  "flat",
] as const;
export type PresetName = (typeof PRESET_NAMES)[number];

export const presets: Readonly<Record<PresetName, MachineDescription>> = {
  seattle,
  "x-gene": xGene,
  "thunderx-2s": thunderxDualSocket,
  "altra-2s": altraDualSocket,
  "kunpeng916-2s": kunpeng916DualSocket,
  "kunpeng920-2s": kunpeng920DualSocket,
  graviton3,
  tc2,
  exynos3250,
  exynos4412,
  rpi4,
  juno,
  "host-100c": host100c,
  flat,
};

export const isPresetName = (name: string): name is PresetName => Object.hasOwn(presets, name);
