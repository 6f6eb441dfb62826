#!/bin/bash
# Submits every stage of a deck, each waiting for the one before it to succeed.
#
#   jobs/pipeline.sh DECK [-s section.key=value]... [--force]
#   RADMIX_TRAIN_NODES=4 jobs/pipeline.sh DECK       resources of one stage: site/settings.sh
#
# A stage whose inputs the deck does not name is left out, as `radmix run` does. Stages that share a
# folder run one after the other: it has one writer. When one fails, those after it are cancelled; a
# stage that was interrupted goes on by itself, and those after it wait. Submit again after mending:
# what is up to date is skipped. Prints one line a stage: name, job, log.
set -eu
jobs=${RADMIX_JOBS:-$(cd "$(dirname "$0")" && pwd)}
# shellcheck source=jobs/site/launch.sh
. "$jobs/site/launch.sh"

deck=$(deck_of "$@")
[ -n "$deck" ] || fail 64 "usage: pipeline.sh DECK [-s section.key=value]..."
[ -r "$deck" ] || fail 66 "$deck: expected a deck, found none"
command -v sbatch > /dev/null 2>&1 || fail 69 "sbatch: expected Slurm, found none; use: mpirun radmix run $deck"

is_given() {
  [ -n "$(setting_of "$1" '' "${arguments[@]}")" ]
}

# Tells whether the deck gives what a stage needs.
is_wanted() {
  case $1 in
    slice | train | encode | cluster) is_given images.manifest ;;
    factors) is_given genomics.expression || is_given genomics.table ;;
    associate)
      { is_given images.manifest || is_given association.features; } && is_wanted factors
      ;;
    report) ;;
    predict)
      { is_given images.manifest || is_given prediction.features; } && is_given study.clinical
      ;;
  esac
}

arguments=("$@")
stages=$(setting_of study.stages all "$@")
before=''
for stage in slice train encode factors associate cluster predict report; do
  if [ "$stages" = all ]; then
    is_wanted "$stage" || { echo "$stage: left out, the deck does not give its inputs"; continue; }
  else
    case ",${stages// /}," in *",$stage,"*) ;; *) continue ;; esac
  fi
  job=$(submit "$stage" ${before:+--dependency=afterok:$before} -- "$jobs/$stage.sh" "$@")
  [ -n "$job" ] || fail 1 "$stage: not submitted"
  echo "$stage: job $job, log radmix-$stage-$job.log"
  before=$job
done
echo "results: $(setting_of study.directory out "$@")"
