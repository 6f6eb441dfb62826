#!/bin/bash
# Reads MR volumes and cuts them into slices.
#   jobs/slice.sh DECK [-s section.key=value]... [--force]       submits itself (site/settings.sh)
#   sbatch --nodes=2 --ntasks-per-node=32 jobs/slice.sh DECK     with resources of your own
#SBATCH --job-name=radmix-slice
#SBATCH --output=radmix-slice-%j.log
#SBATCH --time=2:00:00
#SBATCH --signal=B:USR1@300
#SBATCH --requeue
#SBATCH --open-mode=append
jobs=${RADMIX_JOBS:-$(cd "$(dirname "$0")" && pwd)}
[ -e "$jobs/site/launch.sh" ] || jobs=$SLURM_SUBMIT_DIR/jobs
# shellcheck source=jobs/site/launch.sh
. "$jobs/site/launch.sh"
radmix_job slice "$@"
