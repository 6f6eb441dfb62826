#!/usr/bin/env bash
# Fuzzes each reader for some seconds: tests/fuzz/run.sh BUILD-FOLDER SECONDS [TARGET...]
#
# Prints a line for each target. An input that a target does not survive is kept in BUILD-FOLDER and
# named; it becomes a case of the campaign or a unit test when the fault is mended. FUZZ_SEED is the
# seed of the inputs: 0, the default, another one each time.
set -u
here=$(cd "$(dirname "$0")" && pwd)
build=$(realpath "$1")
seconds=$2
shift 2
targets=("$@")
[ $# != 0 ] || targets=(nifti table gmt deck signature matrix)
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OPENBLAS_NUM_THREADS=1
export LSAN_OPTIONS="suppressions=$here/../lsan.supp:print_suppressions=0"
export UBSAN_OPTIONS=print_stacktrace=1
seeds=$(mktemp -d)
trap 'rm -rf "$seeds"' EXIT
/usr/bin/python3 "$here/seeds.py" "$seeds" || exit 1
findings=0

printf '%-10s %12s %12s %8s  %s\n' target executions 'a second' seeds verdict
for target in "${targets[@]}"; do
  n_seeds=$(find "$seeds/$target" -type f | wc -l)
  log=$build/fuzz-$target.log
  "$build/tests/fuzz/fuzz_$target" -max_total_time="$seconds" -max_len=20000 -timeout=60 -rss_limit_mb=2048 \
    -seed="${FUZZ_SEED:-0}"     -print_final_stats=1 -artifact_prefix="$build/fuzz-$target-" "$seeds/$target" > "$log" 2>&1
  code=$?
  n=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log" | tail -n 1)
  rate=$(sed -n 's/^stat::average_exec_per_sec: *//p' "$log" | tail -n 1)
  verdict=clean
  if [ $code != 0 ]; then
    findings=$((findings + 1))
    verdict="exit $code, see $log: $(grep -hm1 -E 'ERROR|runtime error|Assertion' "$log")"
  fi
  printf '%-10s %12s %12s %8d  %s\n' "$target" "${n:-none}" "${rate:-none}" "$n_seeds" "$verdict"
done
rm -f /dev/shm/radmix-fuzz-* /tmp/radmix-fuzz-*
[ $findings = 0 ]
