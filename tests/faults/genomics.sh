#!/usr/bin/env bash
# Bad inputs of `radmix factors` on the command line: each ends with its exit code and one line of
# message on 1 and 3 ranks and leaves nothing under a final name. The table of all cases is in
# tests/mpi/test_factors.c. Output: TAP.
#
#     tests/faults/genomics.sh            RADMIX=build/release/radmix by default
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/tap.sh
source "$here/../tap.sh"
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OPENBLAS_NUM_THREADS=1
RADMIX=$(realpath "${RADMIX:-$here/../../build/${MODE:-release}/radmix}")
export TAP_LIMIT=20
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1

# bad CODE WORDS SETTINGS...: on 1 and 3 ranks.
bad() {
  local code_expected=$1 words=$2 ranks left
  shift 2
  for ranks in 1 3; do
    rm -rf out
    refuses "$code_expected" "$words" $ranks factors -s study.directory=out "$@"
    left=$(find out -name 'factors*' 2> /dev/null)
    [ -z "$left" ] || ok 1 "nothing is left behind: $left"
  done
}

printf 'gene\tP1\tP2\tP3\nA\t1\t2\t4\nB\t3\t1\t2\nC\t5\t6\t4\n' > good.tsv
printf 'gene\tP1\tP2\tP3\nA\t1\t2\t4\nB\t3\t1\nC\t5\t6\t4\n' > ragged.tsv
printf 'gene\tP1\tP2\tP3\nA\t1\t2\t4\nB\t3\t1\t2\nC\t5\t6\tmany\n' > text.tsv
printf 'gene\tP1\tP2\tP3\nA\t1\t2\t4\nB\tNA\t\tNaN\nC\t5\t6\t4\n' > missing.tsv
printf 'gene\tP1\tP2\tP3\nA\t1\t2\t4\nB\t3\t-1\t2\nC\t5\t6\t4\n' > negative.tsv
printf 'unknown\tX1\tX2\nA\t1\t2\n' > side.tsv
printf 'S\tna\tA\tB\nT\tna\n' > empty.gmt
printf 'S\tna\tA\tB\nT\tna\tA\tC\nS\tna\tB\n' > twice.gmt
printf 'S\tna\tA\tB\nT\tna\tC\tA\tC\n' > again.gmt
printf 'S\tna\tA\tB\r\nT\tna\tA\tC\r\n' > windows.gmt
gzip -c good.tsv | head -c 40 > cut.tsv.gz

bad 65 'ragged.tsv:3: expected 4 columns' -s genomics.expression=ragged.tsv
bad 65 "text.tsv:4: P3: expected a finite number, found 'many'" -s genomics.expression=text.tsv
bad 65 "missing.tsv:3: expected a value of 'B'" -s genomics.expression=missing.tsv
bad 65 "negative.tsv:3: expected a count of 0 or more of 'B' in 'P2'" -s genomics.expression=negative.tsv \
  -s genomics.unit=count
bad 65 'genomics.patients = rows or columns settles it' -s genomics.expression=side.tsv
bad 65 'cut.tsv.gz' -s genomics.expression=cut.tsv.gz
bad 65 "empty.gmt:2: expected a set, a description and its genes" -s genomics.expression=good.tsv \
  -s genomics.gene_sets=empty.gmt
bad 65 "twice.gmt:3: expected each set once, found 'S' on line 1 too" -s genomics.expression=good.tsv \
  -s genomics.gene_sets=twice.gmt
bad 65 "again.gmt:2: expected each gene once in set 'T', found 'C' again" -s genomics.expression=good.tsv \
  -s genomics.gene_sets=again.gmt
bad 65 "found table 'A', which is a gene of good.tsv too" -s genomics.expression=good.tsv \
  -s genomics.table=good.tsv
bad 66 'absent.tsv' -s genomics.expression=absent.tsv
bad 66 'nosuch.sig' -s genomics.expression=good.tsv -s genomics.signatures=nosuch
bad 78 'expected genomics.expression or genomics.table'
bad 64 'expected --curve=SET,PATIENT' -s genomics.expression=good.tsv --curve

# Windows line ends are no fault.
for ranks in 1 3; do
  rm -rf out
  radmix_on $ranks factors -q -s study.directory=out -s genomics.expression=good.tsv \
    -s genomics.gene_sets=windows.gmt
  [ "$code" = 0 ] && [ "$(grep -c '	pathway	.*	ok	' out/factors.tsv)" = 2 ]
  ok $? "a .gmt with Windows line ends is read on $ranks ranks"
done
finish
