#!/usr/bin/env bash
# How fast pathways are scored: 16,197 genes x 110 patients x 186 sets on 1 and 2 ranks, R's GSVA on the
# same data in the same run where it is installed; with LARGE=yes 20,000 genes x 10,000 patients x 1,000
# sets (20 minutes on 2 cores, 3 GB a rank).
#
#     tests/bench/bench_factors.sh build/release
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OPENBLAS_NUM_THREADS=1
bench=$(realpath "$1")/tests/bench/bench_factors
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1

on() {
  local ranks=$1
  shift
  mpirun -q --oversubscribe -n "$ranks" "$bench" .  "$@"
}

# The seconds of a line of bench_factors.
seconds() { sed -E 's/.*ranks: ([0-9.]+) s.*/\1/'; }

# best RANKS ARGUMENT...: the fastest of three.
best() { for _ in 1 2 3; do on "$@"; done | sort -t: -k3 -g | head -n 1; }

on 1 16197 110 186 gsva write > /dev/null
one=$(best 1 16197 110 186 gsva)
two=$(best 2 16197 110 186 gsva)
printf '%s\n%s\n' "$one" "$two"
awk -v a="$(seconds <<< "$one")" -v b="$(seconds <<< "$two")" 'BEGIN {printf "two ranks: %.2f x\n", a / b}'
for method in ssgsea zscore plage; do best 1 16197 110 186 $method; done

if Rscript -e 'library(GSVA)' > /dev/null 2>&1; then
  Rscript - << 'R' 2> /dev/null | tee r.txt
suppressMessages(library(GSVA))
X <- as.matrix(read.delim("expression.tsv", row.names = 1, check.names = FALSE))
lines <- strsplit(readLines("sets.gmt"), "\t")
sets <- setNames(lapply(lines, function(line) line[-(1:2)]), sapply(lines, `[`, 1))
time <- system.time(capture.output(r <- suppressWarnings(gsva(X, sets, verbose = FALSE, parallel.sz = 1L))))
cat(sprintf("R GSVA: 1 ranks: %.3f s (CPU %.3f s, sum of scores %.6g)\n", time[3], time[1] + time[2], sum(r)))
R
  awk -v a="$(seconds < r.txt)" -v b="$(seconds <<< "$one")" 'BEGIN {printf "radmix against R: %.1f x\n", a / b}'
else
  echo 'R package GSVA is not installed: no comparison'
fi

[ "$LARGE" = yes ] || exit 0
on 2 20000 10000 1000 gsva
on 2 20000 10000 1000 ssgsea
