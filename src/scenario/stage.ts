/**
 * The machine that a story is played on: a description, changed as the story asks. Everything is done to the description,
 * so that what is played is a machine that a user could have written.
 */
import { overriddenName } from "../devices/dma-engine.ts";
import { SetwayError } from "../engine/errors.ts";
import { type LoadedMachine, resolveMachine } from "../machine/index.ts";
import { nearestWord } from "../machine/nearest.ts";
import type { ResolvedMachine } from "../machine/resolved.ts";
import type { MachineDescription } from "../machine/schema.ts";
import { type AnyStory, CHANGEABLE, type MachineChanges, type StoryDevice } from "./story.ts";

type Devices = NonNullable<MachineDescription["devices"]>;
type Cores = MachineDescription["cores"];

export interface StageOptions {
  /**
   * Leaves out most cores that would idle. An idle core holds nothing and does nothing, so that nobody else can tell;
   * a machine of 160 cores is then built in the time of 8.
   */
  readonly leaveOutIdle?: boolean;
}

/** Cores that stay of each cluster, and clusters of each kind. */
const CORES_KEPT = 4;
const CLUSTERS_KEPT = 2;

export function stageMachine(
  { description }: LoadedMachine,
  story: Pick<AnyStory, "devices" | "starts" | "changes">,
  fixes: readonly string[],
  options: StageOptions = {},
): ResolvedMachine {
  const changes = story.changes?.((fix: string) => fixes.includes(fix)) ?? {};
  for (const key of Object.keys(changes)) {
    if ((CHANGEABLE as readonly string[]).includes(key)) continue;
    throw new SetwayError("usage", "a story can't change that of its machine", {
      found: key,
      expected: CHANGEABLE.join(", "),
      nearest: nearestWord(key, CHANGEABLE),
    });
  }
  const changed: MachineDescription = {
    ...description,
    ...merged(description, changes),
    devices: mergedDevices(description.devices, story.devices ?? []),
    ...(story.starts === "reset" ? { initialSctlr: 0 } : {}),
    ...(options.leaveOutIdle ? { cores: fewerCores(description.cores, description.sockets ?? 1) } : {}),
    // Sources speak of the description as it was.
    sources: {},
  };
  return resolveMachine(changed);
}

/** A key that is a mapping on both sides is merged, anything else replaced. */
function merged(description: MachineDescription, changes: MachineChanges): MachineChanges {
  const isMapping = (value: unknown) => typeof value === "object" && value !== null && !Array.isArray(value);
  const own = description as Readonly<Record<string, unknown>>;
  return Object.fromEntries(
    Object.entries(changes).map(([key, value]) => [
      key,
      isMapping(value) && isMapping(own[key]) ? { ...(own[key] as object), ...(value as object) } : value,
    ]),
  );
}

function mergedDevices(own: Devices, added: readonly StoryDevice[]): Devices {
  const devices = [...own];
  for (const { name, coherent, socket, allocate, smmu } of added) {
    const place = {
      ...(socket === undefined ? {} : { socket }),
      ...(allocate === undefined ? {} : { allocate }),
    };
    put(devices, { name, coherent, ...place });
    if (smmu) put(devices, { name: overriddenName(name), coherent: true, ...place });
  }
  return devices;
}

function put(devices: Devices, device: Devices[number]): void {
  const index = devices.findIndex(({ name }) => name === device.name);
  if (index < 0) devices.push(device);
  else devices[index] = device;
}

function fewerCores(cores: Cores, sockets: number): Cores {
  if (typeof cores === "number") return Math.min(cores, sockets * CORES_KEPT);
  return cores.map((cluster) => ({
    ...cluster,
    count: Math.min(cluster.count, CORES_KEPT),
    repeat: Math.min(cluster.repeat ?? 1, CLUSTERS_KEPT),
  }));
}
