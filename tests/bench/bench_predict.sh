#!/usr/bin/env bash
# Lasso paths of slices x 4,096 features against glmnet, on the same data in the same run: one path, and
# 5 outcomes x (1 + 5 folds), on 1 and 2 ranks. Memory: the sum over ranks, of the float matrix.
#
#     tests/bench/bench_predict.sh build/release [ROWS...] [-- LAMBDAS...]
#
# Defaults: rows 12000 36566, lambdas 20 100, down to 0.01 lambda_max (110 patients are the independent
# units; further down a path interpolates them). A line as soon as there is a figure. R needs 5 GB.
#
# glmnet fits one path and, on its lambdas, one fold of 5; its time for all is 5 x (path + 5 x fold). The
# fold is fitted at the fewest lambdas; at more its time is scaled as that of the path, and the line says
# so. Of radmix nothing is scaled. ALL=no leaves out the 30 paths, ALL=few (the default) those of more
# than the fewest lambdas, ALL=yes none of them.
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

# What R does with the rows: run_glmnet path LAMBDAS, then run_glmnet fold LAMBDAS. Prints seconds.
run_glmnet() {
  Rscript - "$work" "$1" "$2" "$ratio" << 'R'
suppressMessages(library(glmnet))
a <- commandArgs(TRUE)
y <- as.matrix(read.table(file.path(a[1], "y.tsv")))
x <- matrix(readBin(file.path(a[1], "x.bin"), "double", nrow(y) * 4096, size = 4), ncol = 4096, byrow = TRUE)
file <- file.path(a[1], "glmnet.tsv")
if (a[2] == "path") {
  s <- system.time(g <- glmnet(x, y[, 2], family = "binomial", nlambda = as.integer(a[3]), lambda.min.ratio = as.numeric(a[4])))
  write.table(cbind(sprintf("%.17g", g$lambda), sprintf("%.17g", g$dev.ratio)), file,
              quote = FALSE, row.names = FALSE, col.names = FALSE, sep = "\t")
} else {
  train <- y[, 1] %% 5 != 0
  x <- x[train, ]
  s <- system.time(glmnet(x, y[train, 2], family = "binomial", lambda = read.table(file)[, 1]))
}
cat(sprintf("%.2f\n", s[3]))
R
}

# one_path ROWS LAMBDAS: glmnet's in $path, then radmix's.
one_path() {
  path=$(run_glmnet path "$2")
  echo "  glmnet: path $path s"
  both=(1 0)
  for ranks in 1 2; do
    on $ranks "$1" "$2" | tee "$work/one.txt"
    faster "one path, $ranks ranks" "$path" "$(seconds < "$work/one.txt")"
  done
}

# all_paths ROWS LAMBDAS
all_paths() {
  local words all
  if [ -z "$share" ]; then
    fold=$(run_glmnet fold "$2")
    share=$(awk -v p="$path" -v f="$fold" 'BEGIN {print f / p}')
    words="a fold $fold s"
  else
    fold=$(awk -v p="$path" -v s="$share" 'BEGIN {printf "%.2f", p * s}')
    words="a fold $fold s (scaled: $share of the path, as with fewer lambdas)"
  fi
  all=$(awk -v p="$path" -v f="$fold" 'BEGIN {printf "%.1f", 5 * (p + 5 * f)}')
  echo "  glmnet: $words, 5 x (path + 5 folds) $all s"
  both=(5 5)
  for ranks in 2 1; do
    on $ranks "$1" "$2" | tee "$work/all.txt"
    faster "5 outcomes x (1 + 5 folds), $ranks ranks" "$all" "$(seconds < "$work/all.txt")"
  done
}

for n in "${rows[@]}"; do
  rm -f "$work"/*
  share=
  both=(0 0)
  on 1 "$n" 20
  for l in "${lambdas[@]}"; do
    echo "$n rows, $l lambdas"
    one_path "$n" "$l"
    [ "${ALL:-few}" = no ] || { [ "${ALL:-few}" = few ] && [ -n "$share" ]; } || all_paths "$n" "$l"
  done
done
