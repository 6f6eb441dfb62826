#!/bin/bash
# How training, encoding, association and prediction scale, here or on nodes of a cluster.
#
#   jobs/scaling.sh [FOLDER [RANKS...]]           in a job of RADMIX_NODES x RADMIX_RANKS ranks
#   RADMIX_HERE=yes jobs/scaling.sh [FOLDER]      on this machine
#
# Strong: the same cohort on every number of ranks; weak: as many patients a rank. The cohort is
# simulated. FOLDER (default scaling/) gets scaling.tsv, machine.tsv and scaling.svg: efficiency as
# measured and, up to 1,024 ranks, as modelled from one rank and the network (site/scaling.awk).
#
#   SCALING_PATIENTS, SCALING_IMAGES   of the cohort, of a patient (64, 40)
#   SCALING_GENES                      factors of the association (1000)
#   SCALING_EPOCHS                     of training (4)
#   SCALING_REPEATS                    the best of so many runs counts (3)
#   SCALING_STAGES, SCALING_KINDS      "train encode associate predict", "strong weak"
#SBATCH --job-name=radmix-scaling
#SBATCH --output=radmix-scaling-%j.log
#SBATCH --time=2:00:00
#SBATCH --exclusive
jobs=${RADMIX_JOBS:-$(cd "$(dirname "$0")" && pwd)}
[ -e "$jobs/site/launch.sh" ] || jobs=$SLURM_SUBMIT_DIR/jobs
# shellcheck source=jobs/site/launch.sh
. "$jobs/site/launch.sh"

if [ -z "${SLURM_JOB_ID-}" ] && [ "${RADMIX_HERE-}" != yes ] && command -v sbatch > /dev/null 2>&1; then
  job=$(submit scaling --exclusive -- "$jobs/scaling.sh" "$@") || exit 1
  echo "scaling: job $job, log radmix-scaling-$job.log"
  exit 0
fi

patients=${SCALING_PATIENTS:-64} images=${SCALING_IMAGES:-40} genes=${SCALING_GENES:-1000}
epochs=${SCALING_EPOCHS:-4} repeats=${SCALING_REPEATS:-3}
stages=${SCALING_STAGES:-train encode associate predict} kinds=${SCALING_KINDS:-strong weak}
folder=${1:-scaling}
mkdir -p "$folder" || exit 74
folder=$(cd "$folder" && pwd)
shift
load_modules
find_program
RADMIX=$(cd "$(dirname "$RADMIX")" && pwd)/$(basename "$RADMIX")
bench=${RADMIX_BUILD:-$(dirname "$RADMIX")}/tests/bench/bench_scaling
case $bench in /*) ;; *) bench=$PWD/$bench ;; esac
if [ -n "${SLURM_JOB_ID-}" ]; then all=$SLURM_NTASKS; else all=$(nproc); fi
counts=("$@")
if [ ${#counts[@]} = 0 ]; then
  for ((n = 1; n < all; n *= 2)); do counts+=("$n"); done
  counts+=("$all")
fi
RADMIX_RANKS=1 set_launcher
cd "$folder" || exit 74

# on RANKS WORD...: runs the words on so many ranks.
on() {
  local ranks=$1 start=("${launcher[@]}")
  shift
  if [ -z "${SLURM_JOB_ID-}" ]; then
    start=(mpirun -q --oversubscribe --bind-to none -n "$ranks")
  elif [ "$RADMIX_LAUNCHER" = srun ]; then
    start+=(--overlap -n "$ranks")
  else
    start+=(-n "$ranks")
  fi
  "${start[@]}" "$@" < /dev/null
}

record_of() { # record_of FILE NAME: a number of the record in a result
  local group=/uns/radmix
  case $1 in *.h5) group=/radmix ;; esac
  h5dump -d "$group/$2" "$1" 2> /dev/null | sed -n 's/^ *(0): *//p' | head -n 1
}

# The cohort of FACTOR times the patients, cut and with its factors, in cohort-FACTOR.
make_cohort() {
  local at=cohort-$1
  [ ! -e "$at/factors.h5ad" ] || return 0
  on "$all" "$RADMIX" simulate -q -s study.directory="$at" -s simulation.patients=$((patients * $1)) \
    -s simulation.images_per_patient="$images" -s simulation.genes="$genes" -s simulation.sets=0 || exit
  on "$all" "$RADMIX" slice -q -s study.directory="$at" -s images.manifest="$at/simulated/images.tsv" || exit
  on "$all" "$RADMIX" factors -q -s study.directory="$at" \
    -s genomics.expression="$at/simulated/expression.tsv" || exit
}

# The result of a stage, by which it is timed.
result_of() {
  case $1 in
    train) echo model.h5 ;;
    encode) echo features.h5ad ;;
    associate) echo associations.h5ad ;;
    predict) echo predictions.h5 ;;
  esac
}

# run_stage STAGE RANKS FACTOR: the seconds of the fastest run. Training is timed by its steps, the
# others from reading to the file in place.
run_stage() {
  local stage=$1 ranks=$2 factor=$3 best='' seconds rate file i at=work
  file=$at/$(result_of "$stage")
  local settings=(-s study.directory="$at" -s study.clinical="cohort-$factor/simulated/clinical.tsv"
    -s autoencoder.epochs="$epochs" -s autoencoder.validation=0 -s autoencoder.batch=$((64 * factor))
    -s prediction.outcomes=ER -s prediction.folds=2 -s prediction.inner_folds=2
    -s prediction.lambdas=20 -s prediction.bootstrap=0 -s prediction.level=patient)
  for ((i = 0; i < repeats; i++)); do
    rm -f "$file" "$at"/.lock
    on "$ranks" "$RADMIX" "$stage" "${settings[@]}" 2> "$stage.log" || { tail -n 3 "$stage.log" >&2; exit 1; }
    seconds=$(record_of "$file" seconds)
    if [ "$stage" = train ]; then
      rate=$(sed -n 's/.*, \([0-9]*\) images\/s.*/\1/p' train.log | tail -n 1)
      seconds=$(awk -v n=$((patients * factor * images)) -v r="$rate" -v e="$epochs" 'BEGIN { print e * n / r }')
    fi
    best=$(awk -v a="$seconds" -v b="${best:-1e9}" 'BEGIN { print (a < b) ? a : b }')
  done
  echo "$best $(stat -c %s "$file")"
}

echo "machine: $all ranks at most, $RADMIX" >&2
if [ -x "$bench" ]; then on "$all" "$bench" write.bin 64 > machine.tsv || exit; fi
printf 'kind\tstage\tranks\tpatients\timages\tseconds\tbytes\n' > measured.tsv
for kind in $kinds; do
  for ranks in "${counts[@]}"; do
    factor=1
    [ "$kind" = strong ] || factor=$ranks
    make_cohort "$factor"
    rm -rf work && mkdir work
    ln -s "../cohort-$factor/images.h5ad" "../cohort-$factor/factors.h5ad" work/
    for stage in train encode associate predict; do
      # Each stage needs the results of those before it, timed or not.
      case " $stages " in *" $stage "*) times=$repeats ;; *) times=1 ;; esac
      [ "$stage" != predict ] || [ "$times" = "$repeats" ] || continue
      read -r seconds bytes < <(repeats=$times run_stage $stage "$ranks" "$factor")
      [ -n "$seconds" ] || exit 1
      case " $stages " in *" $stage "*) ;; *) continue ;; esac
      printf '%s\t%s\t%s\t%s\t%s\t%s\t%s\n' "$kind" $stage "$ranks" $((patients * factor)) \
        $((patients * factor * images)) "$seconds" "$bytes" | tee -a measured.tsv >&2
    done
  done
done
rm -rf work
touch machine.tsv
awk -f "$jobs/site/scaling.awk" -v epochs="$epochs" -v genes="$genes" machine.tsv measured.tsv > scaling.tsv
command -v gnuplot > /dev/null 2>&1 && gnuplot "$jobs/site/scaling.gnuplot" && echo "scaling: $folder/scaling.svg" >&2
echo "scaling: $folder/scaling.tsv" >&2
