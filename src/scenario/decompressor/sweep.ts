/** `--sweep l3=0,4MiB..64MiB`: one machine as many, with another size of one cache, or without it. */
import { SetwayError } from "../../engine/errors.ts";
import { type LoadedMachine, loadDescription, type MachineDescription } from "../../machine/index.ts";
import { nearestWord } from "../../machine/nearest.ts";
import { formatBytes, parseBytes } from "../../machine/quantity.ts";

export interface Sweep {
  /** As typed; machines spell it in capitals. */
  readonly level: string;
  /** Bytes, ascending as typed; 0 leaves the cache out. */
  readonly sizes: readonly number[];
}

/** A machine with one size of the swept cache. */
export interface Variant extends LoadedMachine {
  readonly level: string;
  readonly sizeBytes: number;
  /** `no L3`, `L3 4 MiB`. */
  readonly label: string;
}

const EXPECTED = "level=sizes, as in l3=0,4MiB..64MiB (a..b doubles from a to b; 0 leaves the cache out)";
const MOST_SIZES = 64;

/** Throws a usage error. */
export function parseSweep(text: string): Sweep {
  const [level = "", list = "", ...rest] = text.split("=");
  const fail = (found: string) => new SetwayError("usage", "bad sweep", { found, expected: EXPECTED });
  if (level.trim() === "" || list.trim() === "" || rest.length > 0) throw fail(text);
  const sizes = list.split(",").flatMap((item) => {
    const [low, high, ...more] = item.split("..").map((end) => parseBytes(end));
    if (low === undefined || more.length > 0 || (item.includes("..") && (high === undefined || low === 0))) {
      throw fail(item);
    }
    const doubled: number[] = [];
    for (let size = low; size <= (high ?? low); size *= 2) {
      doubled.push(size);
      if (size === 0) break;
    }
    if (doubled.length === 0) throw fail(item);
    return doubled;
  });
  if (sizes.length > MOST_SIZES) throw fail(`${sizes.length} sizes`);
  return { level: level.trim(), sizes: [...new Set(sizes)] };
}

/** The machine in every size. Throws a usage error where it has no such cache, `MachineError` where a size doesn't fit. */
export function variantsOf({ description }: LoadedMachine, { level, sizes }: Sweep): Variant[] {
  const levels = Object.keys(description.caches);
  const name = levels.find((each) => each.toLowerCase() === level.toLowerCase());
  if (name === undefined) {
    throw new SetwayError("usage", `${description.name} has no such cache to sweep`, {
      found: level,
      expected: levels.length === 0 ? "a machine with caches" : levels.join(", "),
      nearest: nearestWord(level, levels),
    });
  }
  return sizes.map((sizeBytes) => ({
    ...loadDescription(withSize(description as unknown as MachineDescription, name, sizeBytes)),
    level: name,
    sizeBytes,
    label: sizeBytes === 0 ? `no ${name}` : `${name} ${formatBytes(sizeBytes)}`,
  }));
}

type Caches = Readonly<Record<string, object | undefined>>;

function withSize(description: MachineDescription, level: string, sizeBytes: number): MachineDescription {
  const resized = (caches: Caches | undefined): Caches | undefined => {
    if (caches === undefined || !(level in caches)) return caches;
    const { [level]: cache, ...others } = caches;
    if (sizeBytes === 0) return others;
    const { sets: _, ...kept } = cache as { readonly sets?: number };
    return { ...others, [level]: { ...kept, size: sizeBytes } };
  };
  const { cores, devices } = description;
  const changed = {
    ...description,
    caches: resized(description.caches as Caches),
    // Clusters may say a size of their own, and devices may ask for a system cache that is no longer there.
    cores: Array.isArray(cores)
      ? cores.map((cluster) => ({
          ...cluster,
          ...("caches" in cluster ? { caches: resized(cluster.caches as Caches) } : {}),
        }))
      : cores,
    devices: devices?.map(({ allocate, ...device }) =>
      allocate === undefined || (sizeBytes === 0 && allocate === "system") ? device : { ...device, allocate },
    ),
  };
  return changed as unknown as MachineDescription;
}
