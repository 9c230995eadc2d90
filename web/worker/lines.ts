/** Chooses the lines of interest of a story: those that hazards are about, those that it names, then those it uses first. */
import type { Hazard } from "../../src/engine/engine.ts";
import type { ResolvedMachine } from "../../src/machine/resolved.ts";
import type { PlayedStory } from "../../src/scenario/run-story.ts";
import { kindOf } from "../../src/scenario/story.ts";
import type { FilmLine } from "../film.ts";

/** More lines than this no map can show. */
const MOST_LINES = 6;
/** Lines of hazards that leave room for what the story itself names. */
const MOST_OF_HAZARDS = 3;
/** So many lines of one class of hazards say as much as all. */
const ENOUGH_LINES = 2;
/** Bytes that the map shows of a line. */
const WORD_BYTES = 8;

/**
 * The lines of the plays given, ascending. Of a fix one gives the play with the bug too: then both films show the same
 * lines wherever the fix changes no addresses.
 */
export function linesOfInterest(plays: readonly PlayedStory[], machine: ResolvedMachine): FilmLine[] {
  const lineBytes = machine.smallestLineBytes;
  const lineOf = (address: number) => Math.floor(address / lineBytes) * lineBytes;
  const isRam = (address: number) =>
    machine.memory.some(({ base, sizeBytes, type }) => type === "ram" && address >= base && address < base + sizeBytes);
  const chosen = new Map<number, { name: string | undefined; offset: number }>();
  const choose = (address: number, most: number, name?: string) => {
    const line = lineOf(address);
    const known = chosen.get(line);
    if (known !== undefined) known.name ??= name;
    else if (chosen.size < most && isRam(address)) {
      const offset = Math.floor((address - line) / WORD_BYTES) * WORD_BYTES;
      chosen.set(line, { name, offset });
    }
  };
  for (const { hazards } of plays) for (const hazard of leading(hazards)) choose(wordOf(hazard), MOST_OF_HAZARDS);
  for (const { after } of plays.flatMap(({ steps }) => steps)) {
    for (const { name, address } of after?.lines ?? []) if (name !== undefined) choose(address, MOST_LINES, name);
  }
  if (chosen.size === 0) {
    for (const { after } of plays.flatMap(({ steps }) => steps)) {
      for (const { address } of after?.lines ?? []) choose(address, MOST_LINES);
    }
  }
  for (const { hazards } of plays) for (const hazard of hazards.filter(isSeen)) choose(wordOf(hazard), ENOUGH_LINES);
  return [...chosen]
    .sort(([a], [b]) => a - b)
    .map(([address, { name, offset }], index) => ({ letter: String.fromCharCode(65 + index), address, name, offset }));
}

/** The first hazard of each class that is about a line, what was seen or lost before what is latent. */
function leading(hazards: readonly Hazard[]): readonly Hazard[] {
  const classes = [...new Set(hazards.map((hazard) => hazard.class))];
  return classes
    .flatMap((name) => hazards.find((hazard) => hazard.class === name) ?? [])
    .filter(({ line }) => line > 0);
}

const isSeen = (hazard: Hazard): boolean => hazard.line > 0 && kindOf(hazard.class) !== "latent";

const wordOf = ({ line, address }: Hazard): number => (address > 0 ? address : line);
