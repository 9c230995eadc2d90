/** What random streams for servers have, on which the kernel keeps sharers in force: from nothing that gives them up to everything. */
import type { Feature } from "./features.ts";

/** Nothing is recorded but accesses, so that the build without versions plays; or with what interrupts. */
const PLAIN: readonly Feature[] = ["basic", "fetch", "system", "inclusion", "regions", "mmio"];
/** And what is dealt like them, or passes while they wait (assembly/alike.ts). */
const ALIKE: readonly Feature[] = [...PLAIN, "atomics", "speculation", "barriers", "zeroing"];
/** Maintenance, whether what was recorded tells what relies on it or not: where it doesn't, sharers stay in force. */
const MAINTAINED: readonly Feature[] = [...ALIKE, "maintenance", "provenance"];
/** Guests, whose walks are dealt as well (assembly/walk.ts). */
const TRANSLATED: readonly Feature[] = [...ALIKE, "translation"];
const INTERRUPTED: readonly Feature[] = [
  ...ALIKE,
  "sizes",
  "control",
  "attributes",
  "nonshareable",
  "maintenance",
  "setway",
  "devices",
  "assign",
];

export const SERVER_FEATURES = {
  "plain accesses": PLAIN,
  "with what is like them": ALIKE,
  "with maintenance": MAINTAINED,
  "with guests": TRANSLATED,
  "with interruptions": INTERRUPTED,
} as const satisfies Readonly<Record<string, readonly Feature[]>>;
