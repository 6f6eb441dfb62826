#!/usr/bin/env bash
# The cluster itself, and two hosts without Slurm.
. "$RADMIX_TOP/tests/cluster/lab.sh"

srun -N2 -n2 hostname | sort > hosts
check "two nodes have names of their own" test "$(tr '\n' ' ' < hosts)" = "n1 n2 "

make_cohort 2 > cohort.log 2>&1
ok $? "a cohort is simulated"
timeout 60 mpirun -q --oversubscribe -n 1 "$RADMIX" run study.ini -s study.directory=one -s study.stages=slice,train > one.log 2>&1
ok $? "slice and train on one rank of this host"

# mpirun starts its daemons as it would with ssh.
cat > agent << 'END'
#!/bin/sh
while [ "${1#-}" != "$1" ]; do shift; done
host=$1
shift
exec nsenter -t "$(cat "$LAB/$host/process")" --net --uts --mount --wd="$PWD" -- /bin/sh -c "$*"
END
chmod +x agent
timeout 90 mpirun -q --mca plm rsh --mca plm_rsh_agent "$PWD/agent" --mca btl tcp,self \
  --mca mpi_yield_when_idle 1 --bind-to none --host n1:2,n2:2 "$RADMIX" run study.ini \
  -s study.directory=two -s study.stages=slice,train > two.log 2>&1
ok $? "the same on two hosts over TCP, without Slurm"
check "images have the bits of one rank" same_bits one/images.h5ad two/images.h5ad
check "the model has the bits of one rank" same_bits one/model.h5 two/model.h5
finish
