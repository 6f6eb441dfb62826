#!/usr/bin/env bash
# Brings up a Slurm with the virtual nodes n1, n2 (NODES=N for more) in the namespaces that
# tests/cluster/check has made. State, logs and the configuration are in $LAB.
#
# Open MPI takes two ranks with the same host name for neighbours and joins them through /dev/shm, so
# every node has a host name, a /dev/shm, an address and a PMIx folder of its own.
set -eu
PATH=$PATH:/usr/sbin:/sbin
nodes=${NODES:-2}
net=10.213.79
mkdir -p "$LAB"/state "$LAB"/log "$LAB"/munge
chmod 700 "$LAB"/munge
hostname head
ip link set lo up
ip link add cluster type bridge
ip addr add $net.254/24 dev cluster
ip link set cluster up

{
  echo "127.0.0.1 localhost"
  echo "$net.254 head"
  for i in $(seq "$nodes"); do echo "$net.$i n$i"; done
} > "$LAB"/hosts
mount --bind "$LAB"/hosts /etc/hosts

cat > "$LAB"/slurm.conf << END
ClusterName=lab
SlurmctldHost=head($net.254)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
# A short life of credentials makes a requeue take 10 s instead of two minutes.
AuthInfo=socket=$LAB/munge/socket,cred_expire=10
StateSaveLocation=$LAB/state
SlurmdSpoolDir=$LAB/spool-%n
SlurmctldPidFile=$LAB/slurmctld.pid
SlurmdPidFile=$LAB/slurmd-%n.pid
SlurmctldLogFile=$LAB/log/slurmctld
SlurmdLogFile=$LAB/log/slurmd-%n
# There is no systemd and no cgroup to count on.
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MailProg=/bin/true
MpiDefault=pmix
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
SlurmdParameters=config_overrides
SchedulerType=sched/backfill
SchedulerParameters=sched_interval=1,bf_interval=1,batch_sched_delay=0,sched_min_interval=10000
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
EnforcePartLimits=ALL
ReturnToService=2
KillWait=5
MinJobAge=3600
$(for i in $(seq "$nodes"); do echo "NodeName=n$i NodeAddr=$net.$i CPUs=4 RealMemory=8000"; done)
PartitionName=main Nodes=ALL Default=YES MaxTime=24:00:00 State=UP PriorityTier=1 PreemptMode=REQUEUE GraceTime=10
PartitionName=high Nodes=ALL MaxTime=24:00:00 State=UP PriorityTier=10 PreemptMode=OFF
END

# Waits until the words succeed, 20 s at most.
wait_for() {
  for _ in $(seq 200); do
    "$@" > /dev/null 2>&1 && return 0
    sleep 0.1
  done
  echo "cluster: waited 20 s for: $*" >&2
  return 1
}

(umask 077 && head -c 1024 /dev/urandom > "$LAB"/munge/key)
munged --force --key-file="$LAB"/munge/key --socket="$LAB"/munge/socket --pid-file="$LAB"/munge/pid \
  --log-file="$LAB"/log/munged --seed-file="$LAB"/munge/seed
export SLURM_CONF=$LAB/slurm.conf
slurmctld -f "$SLURM_CONF"
controller_answers() { scontrol ping | grep -q UP; }
wait_for controller_answers

mkdir -p /run/netns
for i in $(seq "$nodes"); do
  ip netns add "n$i"
  ip link add "to-n$i" type veth peer name eth0 netns "n$i"
  ip link set "to-n$i" master cluster up
  ip -n "n$i" link set lo up
  ip -n "n$i" addr add "$net.$i/24" dev eth0
  ip -n "n$i" link set eth0 up
  mkdir -p "$LAB/spool-n$i" "$LAB/n$i/pmix"
  ln -s ../slurm.conf "$LAB/n$i/slurm.conf"
  echo "PMIxCliTmpDirBase=$LAB/n$i/pmix" > "$LAB/n$i/mpi.conf"
  printf 'CgroupPlugin=cgroup/v1\nCgroupAutomount=no\n' > "$LAB/n$i/cgroup.conf"
  # A process that stays keeps the node's namespaces for mpirun without Slurm (test_hosts.sh).
  # shellcheck disable=SC2016
  nsenter --net="/run/netns/n$i" unshare --uts --mount bash -c '
    set -e
    hostname "$1"
    mount -t tmpfs -o mode=1777 tmpfs /dev/shm
    SLURM_CONF=$LAB/$1/slurm.conf slurmd -f "$LAB/$1/slurm.conf" -N "$1"
    sleep infinity < /dev/null > /dev/null 2>&1 &
    echo $! > "$LAB/$1/process"' node "n$i"
done
all_nodes_idle() { [ "$(sinfo -h -N -p main -t idle -o %N | wc -l)" = "$nodes" ]; }
wait_for all_nodes_idle
