#!/bin/bash
# Runs radmix once for each line of a file, as the tasks of one array job.
#
#   jobs/array.sh FILE [TASKS-AT-ONCE]
#
# A line is a command, a deck and settings, with a folder of its own, since a folder has one writer:
#   associate study.ini -s study.directory=seed-1 -s study.seed=1
# Empty lines and lines that start with # are left out. Words are split at blanks; there is no quoting.
#SBATCH --job-name=radmix-array
#SBATCH --output=radmix-array-%A-%a.log
#SBATCH --time=2:00:00
#SBATCH --signal=B:USR1@300
#SBATCH --requeue
#SBATCH --open-mode=append
jobs=${RADMIX_JOBS:-$(cd "$(dirname "$0")" && pwd)}
[ -e "$jobs/site/launch.sh" ] || jobs=$SLURM_SUBMIT_DIR/jobs
# shellcheck source=jobs/site/launch.sh
. "$jobs/site/launch.sh"

file=${1:?"usage: array.sh FILE [TASKS-AT-ONCE]"}
[ -r "$file" ] || fail 66 "$file: expected a file with a command a line, found none"
mapfile -t lines < <(grep -vE '^[[:space:]]*(#|$)' "$file")
[ ${#lines[@]} -gt 0 ] || fail 65 "$file: expected a command a line, found no line"

if [ -n "${SLURM_ARRAY_TASK_ID-}" ]; then
  read -r -a words <<< "${lines[$SLURM_ARRAY_TASK_ID]}"
  run_command "${words[@]}"
fi
first=${lines[0]}
last=$((${#lines[@]} - 1))
job=$(submit "${first%% *}" --array="0-$last${2:+%$2}" --job-name=radmix-array \
  --output="radmix-array-%A-%a.log" -- "$jobs/array.sh" "$file")
[ -n "$job" ] || fail 1 "$file: not submitted"
echo "array: job $job, ${#lines[@]} tasks, logs radmix-array-$job-*.log"
