/** What the scripts of bash and zsh have in common: they find the place in a command line, and what can stand there, by `case`. */
import { type Place, pathsBelow, takingValues, valuesByPlace } from "./completion-tree.ts";
import type { Suggestion } from "./suggestions.ts";

/** A word that neither shell takes apart. */
export const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

/** One branch of a `case`, several patterns a line. */
const branch = (patterns: readonly string[], then: string): string =>
  `        ${patterns.map(quoted).join(" | ")})\n          ${then}\n          ;;`;

/** Takes `$word` in: `$at` is the command so far, `$option` the option whose value is still to come. */
export const walk = (places: readonly Place[]): string => `\
    if [[ -n $option ]]; then
      option=''
    elif [[ $word == -* ]]; then
      case "$at $word" in
${branch(takingValues(places), "option=$word")}
      esac
    else
      case "$at $word" in
${branch(pathsBelow(places), 'at="$at $word"')}
      esac
    fi`;

/** Assigns what can stand behind `$at` or `$option`, where `typed` has the beginning of it, in the shell's own words. */
export const choices = (
  places: readonly Place[],
  typed: string,
  assign: (suggestion: Suggestion) => string,
): string => `\
  if [[ -n $option ]]; then
    case "$at $option" in
${valuesByPlace(places)
  .map(([at, suggestion]) => branch(at, assign(suggestion)))
  .join("\n")}
    esac
  elif [[ ${typed} == -* ]]; then
    case $at in
${places.map((place) => branch([place.path], assign({ words: optionWords(place) }))).join("\n")}
    esac
  else
    case $at in
${places
  .map(({ path, commands, arguments: taken }) =>
    branch([path], assign({ ...taken, words: [...commands, ...taken.words] })),
  )
  .join("\n")}
    esac
  fi`;

const optionWords = ({ options }: Place): Suggestion["words"] =>
  options.flatMap(({ names, summary }) => names.map((name) => [name, summary] as const));
