#!/bin/sh
# One replay over the cores of this machine, or of several: GNU parallel plays the parts, this script joins them.
#
#   ./parallel.sh boot.swt host-100c 8
#   ./parallel.sh boot.swt host-100c 64 --sshloginfile hosts   # the trace lies at the same path on all of them
set -eu

trace=$1
machine=$2
parts=$3
shift 3
setway=${SETWAY:-setway}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

# A part goes to standard output, so that it comes back from another machine too. The first part that fails ends the others.
seq 0 $((parts - 1)) |
  parallel --halt now,fail=1 --results "$folder/{}.part" "$@" \
    "$setway replay $trace --machine $machine --shard {}/$parts" >/dev/null

$setway merge "$folder"/*.part --json
