/** All scenarios by name: what `setway run` and `setway list` know. */
import type { Scenario } from "./scenario.ts";

export const SCENARIOS: Readonly<Record<string, Scenario>> = {};
