#!/usr/bin/env bash
# Lasso paths of slices x 4,096 features against glmnet, on the same data in the same run: one path, and
# 5 outcomes x (1 + 5 folds), on 1 and 2 ranks. glmnet fits one path and, on the same lambdas, one fold;
# its time for all is 5 x (path + 5 x fold). Memory: the sum over ranks, of the float matrix.
#
#     tests/bench/bench_predict.sh build/release [ROWS...] [-- LAMBDAS...]
#
# Defaults: rows 12000 36566, lambdas 20 100, down to 0.01 lambda_max (110 patients are the independent
# units; further down a path interpolates them). An hour, most of it glmnet's; ALL=no leaves out the 30
# paths, 5 GB of memory for R.
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OPENBLAS_NUM_THREADS=1
bench=$(realpath "$1")/tests/bench/bench_predict
shift
rows=()
while [ $# -gt 0 ] && [ "$1" != -- ]; do rows+=("$1"); shift; done
[ "$1" != -- ] || shift
lambdas=("$@")
[ ${#rows[@]} -gt 0 ] || rows=(12000 36566)
[ ${#lambdas[@]} -gt 0 ] || lambdas=(20 100)
ratio=0.01
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

on() {
  local ranks=$1
  shift
  mpirun -q --oversubscribe -n "$ranks" "$bench" "$@" "$ratio" "${both[@]}" "$work"
}

seconds() { sed -nE 's/^radmix: [0-9]+ ranks: ([0-9.]+) s .*/\1/p'; }
faster() { awk -v what="$1" -v theirs="$2" -v ours="$3" 'BEGIN {printf "  %s: %.2f x glmnet\n", what, theirs / ours}'; }

run_glmnet() {
  Rscript - "$work" "$1" "$ratio" << 'R'
suppressMessages(library(glmnet))
a <- commandArgs(TRUE)
y <- as.matrix(read.table(file.path(a[1], "y.tsv")))
x <- matrix(readBin(file.path(a[1], "x.bin"), "double", nrow(y) * 4096, size = 4), ncol = 4096, byrow = TRUE)
lambdas <- as.integer(a[2])
path <- system.time(g <- glmnet(x, y[, 2], family = "binomial", nlambda = lambdas, lambda.min.ratio = as.numeric(a[3])))
write.table(cbind(sprintf("%.17g", g$lambda), sprintf("%.17g", g$dev.ratio)), file.path(a[1], "glmnet.tsv"),
            quote = FALSE, row.names = FALSE, col.names = FALSE, sep = "\t")
train <- y[, 1] %% 5 != 0
x <- x[train, ]
fold <- system.time(glmnet(x, y[train, 2], family = "binomial", lambda = g$lambda))
cat(sprintf("glmnet: path %.2f s, fold %.2f s, %d lambdas, up to %d features\n", path[3], fold[3], length(g$lambda), max(g$df)))
R
}

for n in "${rows[@]}"; do
  rm -f "$work"/*
  both=(0 0)
  on 1 "$n" 20
  for l in "${lambdas[@]}"; do
    echo "$n rows, $l lambdas"
    run_glmnet "$l" | tee "$work/r.txt"
    read -r path fold < <(sed -nE 's/glmnet: path ([0-9.]+) s, fold ([0-9.]+) s.*/\1 \2/p' "$work/r.txt")
    all=$(awk -v p="$path" -v f="$fold" 'BEGIN {print 5 * (p + 5 * f)}')
    for ranks in 1 2; do
      both=(1 0)
      on $ranks "$n" "$l" | tee "$work/one.txt"
      faster "one path, $ranks ranks" "$path" "$(seconds < "$work/one.txt")"
      [ "$ALL" = no ] && continue
      both=(5 5)
      on $ranks "$n" "$l" | tee "$work/all.txt"
      faster "5 outcomes x (1 + 5 folds), $ranks ranks" "$all" "$(seconds < "$work/all.txt")"
    done
  done
done
