/** The completion script of zsh, as text: a file for `$fpath`, or to be sourced after `compinit`. */
import { pathsBelow, placesOf, takingValues, valuesByPlace } from "./completion-tree.ts";
import type { CommandOutline } from "./outline.ts";
import type { Suggestion } from "./suggestions.ts";
import { VERSION } from "./version.ts";

export function zshCompletion(program: CommandOutline): string {
  const places = placesOf(program);
  return `#compdef setway
# zsh completion of setway ${VERSION}; made by: setway completion zsh
_setway() {
  local at=setway option='' list='' files='' word
  local -a candidates
  integer i
  for ((i = 2; i < CURRENT; i++)); do
    word=$words[i]
    if [[ -n $option ]]; then
      option=''
    elif [[ $word == -* ]]; then
      case "$at $word" in
${cases(takingValues(places), "option=$word")}
      esac
    else
      case "$at $word" in
${cases(pathsBelow(places), 'at="$at $word"')}
      esac
    fi
  done
  if [[ -z $option && $PREFIX == --*=* ]]; then
    option=\${PREFIX%%=*}
    compset -P '*='
  fi

  if [[ -n $option ]]; then
    case "$at $option" in
${valuesByPlace(places)
  .map(([at, suggestion]) => cases(at, assignments(suggestion)))
  .join("\n")}
    esac
  elif [[ $PREFIX == -* ]]; then
    case $at in
${places
  .map(({ path, options }) =>
    cases(
      [path],
      `candidates=(${options.flatMap(({ names, summary }) => names.map((name) => item(name, summary))).join(" ")})`,
    ),
  )
  .join("\n")}
    esac
  else
    case $at in
${places
  .map(({ path, commands, arguments: taken }) =>
    cases([path], assignments({ ...taken, words: [...commands, ...taken.words] })),
  )
  .join("\n")}
    esac
  fi

  if [[ $files == after-colon ]]; then
    if compset -P '*:'; then _files; else _describe -t kinds kind candidates -S :; fi
    return
  fi
  if [[ -n $list ]]; then
    compset -P '*,'
    (( $#candidates )) && _describe -t words word candidates -q -S ,
  else
    (( $#candidates )) && _describe -t words word candidates
  fi
  [[ -n $files ]] && _files
  return 0
}
if [[ $funcstack[1] == _setway ]]; then _setway "$@"; else compdef _setway setway; fi
`;
}

function cases(patterns: readonly string[], then: string): string {
  return `        ${patterns.map(quoted).join(" | ")})\n          ${then}\n          ;;`;
}

function assignments({ words, list, files }: Suggestion): string {
  return [
    `candidates=(${words.map(([word, summary]) => item(word, summary)).join(" ")})`,
    ...(list === undefined ? [] : ["list=yes"]),
    ...(files === undefined ? [] : [`files=${files}`]),
  ].join(" ");
}

/** A word for `_describe`, whose first bare colon ends it. */
const item = (word: string, summary: string): string =>
  quoted(summary === "" ? word.replaceAll(":", "\\:") : `${word.replaceAll(":", "\\:")}:${summary}`);

const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;
