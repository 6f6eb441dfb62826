# shellcheck shell=bash
# What the tests of the cluster share.
n=0 bad=0
say() { # say NAME CODE [WHY]
  n=$((n + 1))
  if [ "$2" = 0 ]; then
    echo "ok $n - $1"
  else
    echo "not ok $n - $1"
    echo "# code $2 ${3-}"
    bad=$((bad + 1))
  fi
}
skip() { n=$((n + 1)); echo "ok $n - $1 # SKIP $2"; }
done_testing() {
  echo "1..$n"
  exit $((bad > 0))
}
