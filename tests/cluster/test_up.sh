#!/usr/bin/env bash
# The cluster itself: two hosts, and ranks on both.
. "$RADMIX_TOP/tests/cluster/lab.sh"
srun -N2 -n2 hostname | sort > hosts
say "two nodes have names of their own" "$(test "$(tr '\n' ' ' < hosts)" = "n1 n2 "; echo $?)"
done_testing
