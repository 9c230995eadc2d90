/** The completion script of bash (3.2 and later), as text. */
import { choices, quoted, walk } from "./completion-case.ts";
import { placesOf } from "./completion-tree.ts";
import type { CommandOutline } from "./outline.ts";
import type { Suggestion } from "./suggestions.ts";
import { VERSION } from "./version.ts";

/** Readline cuts words at `:` and `=` too; the script goes by blanks, and gives back what readline still waits for. */
export function bashCompletion(program: CommandOutline): string {
  const places = placesOf(program);
  return `# bash completion of setway ${VERSION}; made by: setway completion bash
_setway() {
  local line=\${COMP_LINE:0:COMP_POINT} at=setway option='' word='' words='' list='' files='' prefix='' i
  local -a typed
  read -ra typed <<<"$line"
  [[ $line == *[[:space:]] ]] && typed+=('')
  local last=$((\${#typed[@]} - 1))
  local cur=\${typed[last]}
  COMPREPLY=()

  for ((i = 1; i < last; i++)); do
    word=\${typed[i]}
${walk(places)}
  done
  if [[ -z $option && $cur == --*=* ]]; then
    option=\${cur%%=*}
    prefix=$option=
    cur=\${cur#*=}
  fi

${choices(places, "$cur", assignments)}

  if [[ $files == after-colon && $cur == *:* ]]; then
    prefix=$prefix\${cur%%:*}:
    cur=\${cur#*:}
    words=''
  elif [[ $files == after-colon ]]; then
    files=''
    compopt -o nospace 2>/dev/null
  fi
  if [[ -n $list ]]; then
    if [[ $cur == *,* ]]; then
      prefix=$prefix\${cur%,*},
      cur=\${cur##*,}
    fi
    compopt -o nospace 2>/dev/null
  fi
  # What readline has cut off already must not come again.
  local cut=''
  if [[ $prefix == *:* && $COMP_WORDBREAKS == *:* ]]; then
    cut=\${prefix%"\${prefix##*:}"}
  elif [[ $prefix == *=* && $COMP_WORDBREAKS == *=* ]]; then
    cut=\${prefix%%=*}=
  fi
  prefix=\${prefix#"$cut"}
  while IFS= read -r word; do
    COMPREPLY+=("$prefix$word")
  done < <(
    [[ -n $words ]] && compgen -W "$words" -- "$cur"
    [[ -n $files ]] && compgen -f -- "$cur"
  )
  [[ -n $files && -z $prefix ]] && compopt -o filenames 2>/dev/null
  return 0
}
complete -F _setway setway
`;
}

/** One branch of a `case`, several patterns a line. */
function assignments({ words, list, files }: Suggestion): string {
  const ending = files === "after-colon" ? ":" : "";
  return [
    `words=${quoted(words.map(([word]) => `${word}${ending}`).join(" "))}`,
    ...(list === undefined ? [] : ["list=yes"]),
    ...(files === undefined ? [] : [`files=${files}`]),
  ].join(" ");
}
