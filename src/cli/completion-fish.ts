/** The completion script of fish (3.0 and later), as text. */
import { type OptionPlace, type Place, pathsBelow, placesOf, takingValues } from "./completion-tree.ts";
import type { CommandOutline } from "./outline.ts";
import type { Suggestion } from "./suggestions.ts";
import { VERSION } from "./version.ts";

export function fishCompletion(program: CommandOutline): string {
  const places = placesOf(program);
  return `# fish completion of setway ${VERSION}; made by: setway completion fish
function __setway_at --description 'Which command of setway a command line has come to'
    set --local at setway
    set --local option ''
    for word in (commandline --tokenize --cut-at-cursor --current-process)[2..-1]
        if test -n "$option"
            set option ''
        else if string match --quiet -- '-*' $word
            switch "$at $word"
                case ${takingValues(places).map(quoted).join(" ")}
                    set option $word
            end
        else
            switch "$at $word"
                case ${pathsBelow(places).map(quoted).join(" ")}
                    set at "$at $word"
            end
        end
    end
    test "$at" = "$argv"
end
complete --command setway --no-files
${places.flatMap(linesOf).join("\n")}
`;
}

function linesOf(place: Place): string[] {
  const here = `complete --command setway --condition ${quoted(`__setway_at ${place.path}`)}`;
  const words = [...place.commands, ...place.arguments.words].map(
    ([word, summary]) => `${here} --arguments ${quoted(word)}${describe(summary)}`,
  );
  const files = place.arguments.files === undefined ? [] : [`${here} --force-files`];
  return [...words, ...files, ...place.options.map((option) => `${here} ${optionWords(option)}`)];
}

function optionWords({ names, value, summary, suggestion }: OptionPlace): string {
  const forms = names.map((name) =>
    name.startsWith("--") ? `--long-option ${name.slice(2)}` : `--short-option ${name.slice(1)}`,
  );
  return `${forms.join(" ")}${value === undefined ? "" : ` ${taken(suggestion)}`}${describe(summary)}`;
}

/** What an option takes, in the words of \`complete\`. */
function taken({ words, list, files }: Suggestion): string {
  const all = words.map(([word]) => word);
  if (files === "after-colon") {
    // Fish offers what begins as the token does: kinds, and behind a colon the files there.
    const kinds = all.map((kind) => `${kind}:`).join(" ");
    const behind = `(__fish_complete_suffix (string replace --regex '.*:' '' -- (commandline --current-token)) '')`;
    return `--exclusive --arguments ${quoted(`${kinds} (string replace --regex '[^:]*$' '' -- (commandline --current-token))${behind}`)}`;
  }
  const flags = files === undefined ? "--exclusive" : "--require-parameter --force-files";
  if (all.length === 0) return flags;
  if (list === undefined) return `${flags} --arguments ${quoted(all.join(" "))}`;
  return `${flags} --arguments ${quoted(`(__fish_append , ${all.join(" ")})`)}`;
}

const describe = (summary: string): string => (summary === "" ? "" : ` --description ${quoted(summary)}`);

const quoted = (text: string): string => `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
