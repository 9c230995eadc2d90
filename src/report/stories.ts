/** How the result of each scenario is told, by the scenario's name. */
import { type DecompressorReport, tellDecompressor } from "./decompressor.ts";
import type { Emitted } from "./emitted.ts";

/** Takes what the scenario of that name emits. */
export type Story = (result: never) => Emitted<DecompressorReport>;

const STORIES: Readonly<Record<string, Story>> = { decompressor: tellDecompressor };

/** A result as text and JSON. */
export function tell(scenario: string, result: unknown): Emitted<DecompressorReport> {
  const story = STORIES[scenario];
  if (story === undefined) throw new Error(`nobody tells the story of ${scenario}`);
  return story(result as never);
}
