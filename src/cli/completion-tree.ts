/** What the completion scripts of all shells are written from: every place of a command line, and what can stand there. */
import { type CommandOutline, everyCommand, type OptionOutline } from "./outline.ts";
import { NOTHING, type Suggestion, suggestedArguments, suggestedFor } from "./suggestions.ts";

/** Where a command line stands: its commands so far, as typed, separated by blanks. */
export interface Place {
  readonly path: string;
  readonly commands: readonly (readonly [name: string, summary: string])[];
  readonly options: readonly OptionPlace[];
  readonly arguments: Suggestion;
}

export interface OptionPlace extends OptionOutline {
  readonly suggestion: Suggestion;
}

/** Every command as a place. Where commands are named, their names aren't suggested a second time as arguments. */
export function placesOf(program: CommandOutline): readonly Place[] {
  return everyCommand(program).map((command) => {
    const commands = command.commands.map(({ path, summary }) => [path.at(-1) as string, summary] as const);
    const named = new Set(commands.map(([name]) => name));
    const arguments_ = suggestedArguments(command);
    return {
      path: command.path.join(" "),
      commands,
      options: command.options.map((option) => ({ ...option, suggestion: suggestedFor(command, option) })),
      arguments: { ...arguments_, words: arguments_.words.filter(([word]) => !named.has(word)) },
    };
  });
}

/** Places of options that take the same, so that scripts say it once: `path option` as typed, and what is taken. */
export function valuesByPlace(places: readonly Place[]): readonly (readonly [readonly string[], Suggestion])[] {
  const groups = new Map<string, { readonly at: string[]; readonly suggestion: Suggestion }>();
  for (const { path, options } of places) {
    for (const { names, value, suggestion } of options) {
      if (value === undefined || suggestion === NOTHING) continue;
      const key = JSON.stringify(suggestion);
      const group = groups.get(key) ?? { at: [], suggestion };
      groups.set(key, group);
      group.at.push(...names.map((name) => `${path} ${name}`));
    }
  }
  return [...groups.values()].map(({ at, suggestion }) => [at, suggestion]);
}

/** `path option` of every option that takes a value: the word after it is no command. */
export function takingValues(places: readonly Place[]): readonly string[] {
  return places.flatMap(({ path, options }) =>
    options.filter(({ value }) => value !== undefined).flatMap(({ names }) => names.map((name) => `${path} ${name}`)),
  );
}

/** `path` of every command but the program itself. */
export const pathsBelow = (places: readonly Place[]): readonly string[] => places.slice(1).map(({ path }) => path);
