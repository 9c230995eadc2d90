/** Lanes of a time line: one for each core and each device of a machine, in the order of their numbers. */
import type { ResolvedMachine } from "../machine/resolved.ts";
import type { Track } from "./timeline.ts";

/** The lane of a requester. */
export const laneOf = (requester: number): number => requester + 1;

/** The first number that no requester's lane has. */
export const afterLanes = ({ cores, devices }: ResolvedMachine): number => cores.length + devices.length + 1;

export function requesterLanes(machine: ResolvedMachine): readonly Track[] {
  const { cores, devices } = machine;
  return [
    ...cores.map(({ id }): Track => ({ id: laneOf(id), name: `core ${id}`, kind: "lane" })),
    ...devices.map(
      ({ name }, index): Track => ({ id: laneOf(cores.length + index), name: `device ${name}`, kind: "lane" }),
    ),
  ];
}
