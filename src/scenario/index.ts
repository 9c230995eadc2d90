/** All scenarios by name: what `setway run` and `setway list` know; and what plays a story from a program. */
import { decompressor } from "./decompressor/decompressor.ts";
import type { Scenario } from "./scenario.ts";
import type { AnyStory } from "./story.ts";
import { TALK } from "./talk/index.ts";

export { type Cell, type Matrix, type MatrixOptions, playMatrix } from "./matrix.ts";
export { type PlayedStory, runStory, type SkippedStory, type StoryOptions, type StoryResult } from "./run-story.ts";

/** Scenarios with options of their own. */
export const SCENARIOS: Readonly<Record<string, Scenario>> = { decompressor };

/** Stories written against the story API, in the order of the talk. */
export const STORIES: readonly AnyStory[] = TALK;
