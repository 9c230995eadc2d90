# Completes lines as readline does: sets its variables, calls the function that `complete` knows, and prints its answer.
# Usage: bash --norc ask.bash SCRIPT LINES
source "$1"
set -u
handler=$(complete -p setway | sed 's/.*-F \([^ ]*\) setway/\1/')
COMP_WORDBREAKS=$' \t\n"\'><=;|&(:'
while IFS= read -r line; do
  COMP_LINE=$line COMP_POINT=${#line} COMPREPLY=()
  "$handler" setway
  [ ${#COMPREPLY[@]} -gt 0 ] && printf '%s\n' "${COMPREPLY[@]}"
  echo --next--
done <"$2"
exit 0
