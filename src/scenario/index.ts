/** All scenarios by name: what `setway run` and `setway list` know. */
import { decompressor } from "./decompressor/decompressor.ts";
import type { Scenario } from "./scenario.ts";

export const SCENARIOS: Readonly<Record<string, Scenario>> = { decompressor };
