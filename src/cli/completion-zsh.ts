/** The completion script of zsh, as text: a file for `$fpath`, or to be sourced after `compinit`. */
import { choices, quoted, walk } from "./completion-case.ts";
import { placesOf } from "./completion-tree.ts";
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
${walk(places)}
  done
  if [[ -z $option && $PREFIX == --*=* ]]; then
    option=\${PREFIX%%=*}
    compset -P '*='
  fi

${choices(places, "$PREFIX", assignments)}

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
