#!/usr/bin/env bash
# Lasso paths of slices x 4,096 features against glmnet, on the same data in the same run: one path, and
# 5 outcomes x (1 + 5 folds), on 1 and 2 ranks. Memory: the sum over ranks, of the float matrix.
#
#     tests/bench/bench_predict.sh build/release [ROWS...] [-- LAMBDAS...]
#
# Defaults: rows 12000 36566, lambdas 20 100, down to 0.01 lambda_max (110 patients are the independent
# units; further down a path interpolates them). A line as soon as there is a figure, a table of all at
# the end; exit code 1 when something asked for is not reached. R needs 5 GB.
#
# Times are of the processor, user and system, so that a loaded machine may be used: glmnet's, and those
# of radmix's busiest rank (a rank that waits for another does not sleep, so waiting counts).
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
table=$(mktemp)
trap 'rm -rf "$work" "$table"' EXIT

# on RANKS ROWS LAMBDAS OUTCOMES FOLDS
on() {
  mpirun -q --oversubscribe -n "$1" "$bench" "$2" "$3" "$ratio" "$4" "$5" "$work"
}

# enter WHAT FIGURE GLMNET ASKED MEMORY: lines of the table. ASKED: times glmnet, or - for nothing.
# FIGURE: the file with radmix's line.
enter() {
  local line
  line=$(grep '^radmix:' "$2")
  awk -v what="$1" -v theirs="$3" -v asked="$4" -v line="$line" 'BEGIN {
    match(line, /processor [0-9.]+/); ours = substr(line, RSTART + 10, RLENGTH - 10)
    match(line, /memory [0-9.]+/); memory = substr(line, RSTART + 7, RLENGTH - 7)
    if (ours == "" || line ~ /NOT CONVERGED/) { printf "%s\tno result\t\t\tnot reached\n", what; exit }
    times = theirs / ours
    printf "%s\tglmnet %.1f s, radmix %.1f s: %.2f x\t", what, theirs, ours, times
    if (asked == "-") print ""
    else printf "asked %s x\t%s\n", asked, (times >= asked + 0 ? "ok" : "not reached")
    printf "%s\tmemory %.2f of the matrix\tasked < 1.5\t%s\n", what, memory, (memory < 1.5 ? "ok" : "not reached")
  }' | tee -a "$table"
}

# What R does with the rows: run_glmnet path LAMBDAS, then run_glmnet fold LAMBDAS. Prints seconds of
# the processor.
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
cat(sprintf("%.2f\n", s[1] + s[2]))
R
}

# one_path ROWS LAMBDAS: glmnet's in $path, then radmix's. What is asked for holds at the larger size.
one_path() {
  local asked=-
  [ "$1" -lt 36566 ] || asked=1
  path=$(run_glmnet path "$2")
  echo "glmnet: path $path s"
  for ranks in 1 2; do
    on $ranks "$1" "$2" 1 0 | tee "$work/one.txt"
    enter "$1 x $2 lambdas, one path, $ranks ranks" "$work/one.txt" "$path" $asked
    asked=-
  done
}

# all_paths ROWS LAMBDAS
all_paths() {
  local words all asked
  if [ -z "$share" ]; then
    fold=$(run_glmnet fold "$2")
    share=$(awk -v p="$path" -v f="$fold" 'BEGIN {print f / p}')
    words="a fold $fold s"
  else
    fold=$(awk -v p="$path" -v s="$share" 'BEGIN {printf "%.2f", p * s}')
    words="a fold $fold s (scaled: $share of the path, as with fewer lambdas)"
  fi
  all=$(awk -v p="$path" -v f="$fold" 'BEGIN {printf "%.1f", 5 * (p + 5 * f)}')
  echo "glmnet: $words, 5 x (path + 5 folds) $all s"
  for ranks in 1 2; do
    asked=3
    [ $ranks = 1 ] || asked=5
    on $ranks "$1" "$2" 5 5 | tee "$work/all.txt"
    enter "$1 x $2 lambdas, 30 paths, $ranks ranks" "$work/all.txt" "$all" $asked
  done
}

for n in "${rows[@]}"; do
  rm -f "$work"/*
  share=
  on 1 "$n" 20 0 0
  for l in "${lambdas[@]}"; do
    one_path "$n" "$l"
    [ "${ALL:-few}" = no ] || { [ "${ALL:-few}" = few ] && [ -n "$share" ]; } || all_paths "$n" "$l"
  done
done
echo
echo "glmnet's 30 paths: 5 x (one path + 5 x one fold), as measured above"
column -t -s "$(printf '\t')" "$table"
! grep -q 'not reached' "$table"
