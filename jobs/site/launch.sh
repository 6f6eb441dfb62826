# shellcheck shell=bash
# What the scripts of jobs/ share. They source it and say `radmix_job COMMAND "$@"`:
#
#   outside a job, on a machine with Slurm    submits the script, with the resources of settings.sh
#   inside a job                              runs the command on the ranks of the job
#   without Slurm, or with RADMIX_HERE=yes    runs it on this machine
#
# A job that is told to stop (USR1 before its time limit, TERM when it is preempted) saves, leaves
# with 75, and is put back into the queue; the same command then goes on. One rank that dies ends all.

jobs=${jobs:?"expected the folder of the job scripts"}
export RADMIX_JOBS="$jobs"
# shellcheck source=jobs/site/settings.sh
. "$jobs/site/settings.sh"

fail() { # fail CODE MESSAGE
  echo "${0##*/}: $2" >&2
  exit "$1"
}

# The resource WHAT of COMMAND: its own, else that of all.
resource_of() {
  local name own common
  name=$(echo "RADMIX_$1_$2" | tr '[:lower:]-' '[:upper:]_')
  own=${!name-}
  common=RADMIX_$2
  echo "${own:-${!common}}"
}

# The value of section.key in the arguments of a command: the last -s, else the deck, else DEFAULT.
# setting_of SECTION.KEY DEFAULT ARGUMENT...
setting_of() {
  local wanted=$1 value=$2 deck='' found='' next=''
  shift 2
  for argument in "$@"; do
    if [ "$next" = yes ]; then
      next=''
      case $argument in "$wanted"=*) found=yes value=${argument#*=} ;; esac
      continue
    fi
    case $argument in
      -s | --set) next=yes ;;
      -s"$wanted"=*) found=yes value=${argument#*=} ;;
      -*) ;;
      *) deck=${deck:-$argument} ;;
    esac
  done
  if [ -z "$found" ] && [ -r "$deck" ]; then
    found=$(awk -v wanted="$wanted" '
      /^[ \t]*[#;]/ { next }
      /^[ \t]*\[/ { section = $0; gsub(/[][ \t\r]/, "", section); next }
      (at = index($0, "=")) {
        key = substr($0, 1, at - 1); gsub(/[ \t]/, "", key)
        value = substr($0, at + 1); gsub(/^[ \t]+|[ \t\r]+$/, "", value)
        if (section "." key == wanted) print value
      }' "$deck")
    # A path of a deck is relative to the deck.
    case $wanted:$found in
      *:) ;;
      *:/* | study.stages:*) value=$found ;;
      *) value=$(dirname "$deck")/$found ;;
    esac
  fi
  echo "$value"
}

deck_of() {
  local next=''
  for argument in "$@"; do
    if [ "$next" = yes ]; then next=''; continue; fi
    case $argument in
      -s | --set) next=yes ;;
      -*) ;;
      *) echo "$argument"; return ;;
    esac
  done
}

# Submits a script of jobs/ and prints the number of the job.
# submit COMMAND OPTION-OF-SBATCH... -- SCRIPT ARGUMENT...
submit() {
  local command=$1 options=() ranks
  shift
  ranks=$(resource_of "$command" RANKS)
  [ "$ranks" != 0 ] || ranks=$(cores_of_a_node)
  options=(--parsable --job-name="radmix-$command" --nodes="$(resource_of "$command" NODES)"
    --ntasks-per-node="$ranks" --time="$(resource_of "$command" TIME)"
    --mem-per-cpu="$(resource_of "$command" MEMORY)" --signal="B:USR1@$RADMIX_WARNING"
    --requeue --open-mode=append --kill-on-invalid-dep=yes --export=ALL)
  for name in account partition qos; do
    local value=RADMIX_${name^^}
    [ -z "${!value}" ] || options+=("--$name=${!value}")
  done
  # shellcheck disable=SC2206
  options+=($RADMIX_SBATCH)
  while [ "$1" != -- ]; do options+=("$1"); shift; done
  shift
  case " ${options[*]} " in
    *" --output="* | *" -o "*) ;;
    *) options+=(--output="radmix-$command-%j.log") ;;
  esac
  sbatch "${options[@]}" "$@" | cut -d';' -f1
}

# Cores of the first node of the partition that jobs go to.
cores_of_a_node() {
  local cores
  cores=$(sinfo -h -o %c ${RADMIX_PARTITION:+-p "$RADMIX_PARTITION"} 2> /dev/null | head -n 1)
  echo "${cores%+}" | grep -E '^[0-9]+$' || echo 1
}

# The program: of settings.sh, of the folder that the jobs are in, or of PATH.
find_program() {
  local place
  for place in ${RADMIX:+"$RADMIX"} "$jobs/../build/release/radmix" "$jobs/../../../bin/radmix"; do
    if command -v "$place" > /dev/null 2>&1; then
      RADMIX=$(command -v "$place")
      return
    fi
  done
  RADMIX=$(command -v radmix) || fail 69 "radmix: expected it on PATH or in RADMIX, found none"
}

load_modules() {
  [ -n "$RADMIX_MODULES" ] || return 0
  # shellcheck disable=SC1091
  command -v module > /dev/null 2>&1 || . /etc/profile
  # shellcheck disable=SC2086
  module load $RADMIX_MODULES || fail 69 "module load $RADMIX_MODULES: failed"
}

# Sets the array launcher: the words before the program.
set_launcher() {
  local here cores
  cores=$(nproc)
  here=${SLURM_TASKS_PER_NODE-}
  here=${here%%[(,]*}
  if [ -z "${SLURM_JOB_ID-}" ]; then
    here=$RADMIX_RANKS
    [ "$here" != 0 ] || here=$cores
    RADMIX_LAUNCHER=mpirun
  fi
  export OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1
  # The shared-memory store of PMIx 4 now and then crashes at the start of many ranks.
  export PMIX_MCA_gds="${PMIX_MCA_gds:-hash}"
  [ "$(id -u)" != 0 ] || export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
  local binding=(--cpu-bind=cores)
  [ "$RADMIX_LAUNCHER" = srun ] || binding=(--bind-to core --map-by core)
  # Outside a job other programs may be at work: binding would put all on the first cores.
  [ -n "${SLURM_JOB_ID-}" ] || binding=(--bind-to none)
  if [ "${here:-1}" -gt "$cores" ]; then
    # Waiting ranks give their core away: 0.2 to 11 ms instead of 38 for a sum over 4 ranks.
    export OMPI_MCA_mpi_yield_when_idle=1
    binding=(--cpu-bind=none)
    [ "$RADMIX_LAUNCHER" = srun ] || binding=(--oversubscribe --bind-to none)
  fi
  case $RADMIX_LAUNCHER in
    srun)
      scontrol show config | grep -qE '^TaskPlugin .*(affinity|cgroup)' || binding=()
      launcher=(srun --mpi="$RADMIX_MPI" --kill-on-bad-exit=1 "${binding[@]}")
      ;;
    mpirun)
      launcher=(mpirun -q "${binding[@]}")
      [ -n "${SLURM_JOB_ID-}" ] || launcher+=(-n "$here")
      ;;
    *) fail 78 "RADMIX_LAUNCHER: expected srun or mpirun, found '$RADMIX_LAUNCHER'" ;;
  esac
  # shellcheck disable=SC2206
  launcher+=($RADMIX_LAUNCHER_OPTIONS)
}

# Runs the words, passing USR1 and TERM on to them, and returns their code.
run_with_signals() {
  local child code
  "$@" < /dev/null &
  child=$!
  trap 'echo "told to save and stop, $(date +%T)" >&2; kill -USR1 $child 2> /dev/null' USR1
  trap 'kill -TERM $child 2> /dev/null' TERM INT
  while :; do
    wait "$child"
    code=$?
    kill -0 "$child" 2> /dev/null || break
  done
  trap - USR1 TERM INT
  return "$code"
}

# A lock whose job is over is nobody's: a job that was killed on another node cannot be seen by its
# process number.
remove_old_lock() {
  local lock=$1/.lock host job
  [ -r "$lock" ] || return 0
  read -r host _ _ job < "$lock" || return 0
  case $job in '' | - | "${SLURM_JOB_ID-}") return 0 ;; esac
  scontrol ping > /dev/null 2>&1 || return 0
  if [ -z "$(squeue -h -j "$job" -t R,CG,S,ST,SO 2> /dev/null)" ]; then
    echo "lock of job $job on $host, which is over: removed" >&2
    rm -f "$lock"
  fi
}

# Puts this job back into the queue, which ends this script. A job that was cancelled stays so.
requeue() {
  if ! scontrol show job "$SLURM_JOB_ID" | grep -q 'JobState=RUNNING'; then
    echo "cancelled, not put back into the queue; the same command goes on from here" >&2
    return
  fi
  if [ "${SLURM_RESTART_COUNT:-0}" -ge "$RADMIX_RESTARTS" ]; then
    echo "interrupted for the ${SLURM_RESTART_COUNT}th time: not put back into the queue" >&2
    return
  fi
  echo "interrupted, back into the queue" >&2
  scontrol requeue "$SLURM_JOB_ID" && sleep 60
}

# Runs COMMAND on the ranks that are there, and leaves with its code.
run_command() {
  local command=$1 folder code start
  shift
  load_modules
  find_program
  set_launcher
  folder=$(setting_of study.directory out "$@")
  [ -z "${SLURM_JOB_ID-}" ] || {
    echo "job $SLURM_JOB_ID, restart ${SLURM_RESTART_COUNT:-0}, on $SLURM_JOB_NODELIST with" \
      "$SLURM_TASKS_PER_NODE ranks a node, $(date '+%F %T')" >&2
    remove_old_lock "$folder"
  }
  start=$SECONDS
  run_with_signals "${launcher[@]}" "$RADMIX" "$command" "$@"
  code=$?
  # Starting many ranks at once sometimes crashes before main(): once more, when it was at the start.
  if { [ $code = 139 ] || [ $code = 134 ]; } && [ $((SECONDS - start)) -lt 20 ]; then
    echo "ended with $code after $((SECONDS - start)) s: once more" >&2
    run_with_signals "${launcher[@]}" "$RADMIX" "$command" "$@"
    code=$?
  fi
  case $code in
    0) echo "$command: done, results are in $folder" >&2 ;;
    75) [ -z "${SLURM_JOB_ID-}" ] || requeue ;;
    *) echo "$command: ended with $code; what is whole is in $folder" >&2 ;;
  esac
  exit $code
}

# radmix_job COMMAND ARGUMENT...: submits, or runs.
radmix_job() {
  local command=$1 job
  shift
  [ -n "${1-}" ] || [ "$command" = simulate ] || fail 64 "usage: ${0##*/} DECK [-s section.key=value]..."
  if [ -n "${SLURM_JOB_ID-}" ] || [ "${RADMIX_HERE-}" = yes ] || ! command -v sbatch > /dev/null 2>&1; then
    run_command "$command" "$@"
  fi
  job=$(submit "$command" -- "$jobs/$command.sh" "$@") || exit 1
  echo "$command: job $job, log radmix-$command-$job.log"
}
