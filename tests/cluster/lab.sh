# shellcheck shell=bash
# What the tests of the cluster share. RADMIX, RADMIX_TOP, LAB and SLURM_CONF are given.
# shellcheck source=tests/tap.sh
. "$RADMIX_TOP/tests/tap.sh"
export JOBS=$RADMIX_TOP/jobs
export RADMIX_MEMORY=500M RADMIX_CLUSTER_MEMORY=500M RADMIX_PREDICT_MEMORY=500M

# check NAME WORD...: ok when the words succeed; else what they said.
check() {
  local name=$1 said code
  shift
  said=$("$@" 2>&1)
  code=$?
  ok $code "$name"
  [ $code = 0 ] || echo "# $(echo "$said" | tr '\n' ' ' | cut -c1-400)"
}

# A small cohort in the folder cohort/, its settings in study.ini.
make_cohort() { # make_cohort EPOCHS
  cat > study.ini << END
[study]
directory = out
clinical = cohort/simulated/clinical.tsv
[images]
manifest = cohort/simulated/images.tsv
size = 32
[autoencoder]
epochs = $1
[genomics]
expression = cohort/simulated/expression.tsv
gene_sets = cohort/simulated/genesets.gmt
[clustering]
clusters = 3
perplexity = 4
iterations = 20
[prediction]
folds = 2
inner_folds = 2
lambdas = 20
bootstrap = 100
[simulation]
patients = 16
images_per_patient = 6-10
genes = 60
sets = 5
links = 4
END
  mpirun -q --oversubscribe -n 2 "$RADMIX" simulate study.ini -s study.directory=cohort
}

state_of() { scontrol show job -o "$1" | sed -n 's/.*JobState=\([A-Z_]*\).*/\1/p' | head -n 1; }
restarts_of() { scontrol show job -o "$1" | sed -n 's/.* Restarts=\([0-9]*\).*/\1/p' | head -n 1; }
exit_of() { scontrol show job -o "$1" | sed -n 's/.* ExitCode=\([0-9]*:[0-9]*\).*/\1/p' | head -n 1; }
# The number of the job of a stage in what the scripts print.
job_of() { sed -n "s/^$1: job \([0-9]*\),.*/\1/p" "$2"; }

# Waits until the job is in one of the states: wait_for_state JOB SECONDS STATE...
wait_for_state() {
  local job=$1 left=$(($2 * 5)) state
  shift 2
  while [ $left -gt 0 ]; do
    state=$(state_of "$job")
    case " $* " in *" $state "*) return 0 ;; esac
    sleep 0.2
    left=$((left - 1))
  done
  echo "job $job: expected $*, found $state"
  return 1
}
wait_for_end() { wait_for_state "$1" "$2" COMPLETED FAILED CANCELLED TIMEOUT NODE_FAIL OUT_OF_MEMORY; }

# Waits until a line of FILE matches: wait_for_line FILE SECONDS PATTERN
wait_for_line() {
  local left=$(($2 * 10))
  while [ $left -gt 0 ]; do
    grep -qE "$3" "$1" 2> /dev/null && return 0
    sleep 0.1
    left=$((left - 1))
  done
  echo "$1: expected a line like '$3'"
  return 1
}

# Two results are the same but for how they were made.
same_bits() {
  local group=/uns/radmix
  case $1 in *.h5) group=/radmix ;; esac
  h5diff --exclude-path "$group" "$1" "$2"
}

