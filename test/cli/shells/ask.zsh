# Completes lines with the completion system's own functions stood in for: they print what they are given to offer.
# Usage: zsh -f ask.zsh SCRIPT LINES
compdef() { : }
compset() {
  [[ $PREFIX == ${~2}* ]] || return 1
  local rest=${PREFIX##${~2}}
  cut=${PREFIX%"$rest"}
  PREFIX=$rest
}
_describe() {
  local each
  for each in "${(@P)4}"; do [[ $each == $PREFIX* ]] && print -r -- "$cut${each%%:*}"; done
}
_files() {
  local each
  for each in $PREFIX*(N); do print -r -- "$each"; done
}
source $1
while IFS= read -r line; do
  words=(${=line})
  [[ $line == *' ' ]] && words+=('')
  CURRENT=$#words
  PREFIX=$words[-1] cut=''
  _setway
  print -- --next--
done <$2
exit 0
