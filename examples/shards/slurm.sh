#!/bin/sh
# One replay over many nodes: a Slurm array plays the parts, a job that waits for it joins them.
#
#   sbatch --array=0-7 slurm.sh boot.swt host-100c
#
# Everything is read and written in the directory that sbatch was called in; the result is result.json there.
#SBATCH --job-name=setway
#SBATCH --cpus-per-task=1
#SBATCH --mem=4G
#SBATCH --output=setway-%A-%a.log
set -eu

trace=$1
machine=$2
setway=${SETWAY:-setway}
parts=$SLURM_ARRAY_TASK_COUNT
first=$SLURM_ARRAY_TASK_MIN

if [ "$SLURM_ARRAY_TASK_ID" = "$first" ]; then
  # Runs when every task of this array has ended well, and never if one has not.
  sbatch --job-name=setway-merge --dependency="afterok:$SLURM_ARRAY_JOB_ID" --kill-on-invalid-dep=yes \
    --output="setway-$SLURM_ARRAY_JOB_ID-merge.log" \
    --wrap="$setway merge setway-$SLURM_ARRAY_JOB_ID-*.part -o json:result.json"
fi

$setway replay "$trace" --machine "$machine" \
  --shard "$((SLURM_ARRAY_TASK_ID - first))/$parts" \
  --part "setway-$SLURM_ARRAY_JOB_ID-$SLURM_ARRAY_TASK_ID.part"
