# shellcheck shell=bash
# What a site sets once. Each name may also come from the environment, which wins.
#
# Resources of one command stand in RADMIX_<COMMAND>_<WHAT>, here or in the environment:
#   RADMIX_TRAIN_NODES=4 RADMIX_TRAIN_TIME=12:00:00 jobs/pipeline.sh study.ini

# Where jobs go. Empty: as Slurm decides.
: "${RADMIX_ACCOUNT:=}"
: "${RADMIX_PARTITION:=}"
: "${RADMIX_QOS:=}"
: "${RADMIX_SBATCH:=}" # more options of sbatch, "--constraint=icelake"

# What a job loads before it runs, "openmpi hdf5 radmix".
: "${RADMIX_MODULES:=}"

# The program: a path, or a name that the modules put on PATH.
: "${RADMIX:=}"

# How ranks start: srun (needs Slurm's PMIx plugin: srun --mpi=list) or mpirun.
: "${RADMIX_LAUNCHER:=srun}"
: "${RADMIX_MPI:=pmix}"
# More options of the launcher. One rank a core is the design; both launchers bind to cores unless
# there are more ranks than cores.
: "${RADMIX_LAUNCHER_OPTIONS:=}"

# Resources of every command, unless the command has its own below. RANKS is ranks on each node; on
# one machine without Slurm it is the number of ranks, 0 = one a core.
: "${RADMIX_NODES:=1}"
: "${RADMIX_RANKS:=0}"
: "${RADMIX_TIME:=2:00:00}"
: "${RADMIX_MEMORY:=2G}" # of one rank

# Measured for 110 patients and 52,238 slices; README, "What a stage needs".
: "${RADMIX_TRAIN_TIME:=8:00:00}"
: "${RADMIX_CLUSTER_MEMORY:=4G}"
: "${RADMIX_PREDICT_TIME:=8:00:00}"
: "${RADMIX_PREDICT_MEMORY:=4G}"
: "${RADMIX_FACTORS_NODES:=1}"
: "${RADMIX_REPORT_NODES:=1}"

# Seconds before the time limit at which a job is told to save what it has.
: "${RADMIX_WARNING:=300}"
# A job that saved and left with 75 goes back to the queue so many times.
: "${RADMIX_RESTARTS:=100}"
