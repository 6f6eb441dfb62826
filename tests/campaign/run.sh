#!/usr/bin/env bash
# The campaign of bad inputs: each reader, each way it can be wrong, on 1 and on 3 ranks, in one
# process per rank; some twenty through the command line. Prints a table and TAP. CAMPAIGN_STEP=3, the
# default, runs each third case on 3 ranks (make check); 1 all of them (make campaign). CAMPAIGN_LIMIT:
# seconds for all cases on a number of ranks.
#
#     tests/campaign/run.sh          RADMIX_BUILD=build/release by default
# shellcheck source=tests/tap.sh
here=$(cd "$(dirname "$0")" && pwd)
source "$here/../tap.sh"
build=$(realpath "${RADMIX_BUILD:-$here/../../build/${MODE:-release}}")
RADMIX=$build/radmix
campaign=$build/tests/campaign/campaign
export PYTHONDONTWRITEBYTECODE=1 OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OPENBLAS_NUM_THREADS=1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1

# A small study whose files will be damaged.
printf '%s\n' '[study]' 'directory = study' 'stages = slice,train,encode,factors,associate' \
  '[images]' 'manifest = simulated/images.tsv' 'size = 16' '[autoencoder]' 'epochs = 1' \
  '[genomics]' 'expression = simulated/expression.tsv' 'unit = count' 'gene_sets = simulated/genesets.gmt' \
  '[association]' 'min_patients = 2' > study.ini
radmix_on 1 simulate -q -s study.directory=. -s simulation.patients=12 -s simulation.images_per_patient=4 \
  -s simulation.genes=12 -s simulation.sets=2 -s simulation.links=2
[ "$code" = 0 ] && radmix_on 1 run study.ini -q -s study.clinical=simulated/clinical.tsv
ok "$code" "a small study is made"
cp simulated/clinical.tsv study
/usr/bin/python3 "$here/cases.py" cases study > n_cases.txt
ok $? "the cases are made"
total=$(cat n_cases.txt)

# take NAME FILE: adds what follows NAME on the lines of counts.
take() {
  awk -v name="$1" '/^cases / { for (i = 1; i < NF; i++) if ($i == name) n += $(i + 1) } END { print n + 0 }' "$2"
}

# campaign_on RANKS STEP: runs the cases, or some of them; a process that dies is counted, and the next case begins another.
campaign_on() {
  local ranks=$1 step=$2 n=$(((total + $2 - 1) / $2)) next=0 crashes=0 hangs=0 out="counts-$1.txt" end
  : > "$out"
  while [ "$next" -lt "$total" ]; do
    timeout -k 2 "${CAMPAIGN_LIMIT:-250}" mpirun -q --oversubscribe -n "$ranks" "$campaign" cases "$next" "$step" >> "$out" 2> died.txt
    end=$?
    [ $end = 0 ] && break
    next=$(cat cases/now)
    if [ $end = 142 ] || [ $end = 124 ]; then hangs=$((hangs + 1)); else crashes=$((crashes + 1)); fi
    echo "# exit $end in case $next: $(sed -n "$((next + 1))p" cases/cases.tsv | cut -f 1)" >> "$out"
    sed 's/^/# /' died.txt | tail -n 5 >> "$out"
    next=$((next + 1))
  done
  echo "$ranks $n $crashes $hangs $(take codes "$out") $(take messages "$out") $(take files "$out") $(take peak "$out")" >> table.txt
  grep '^#' "$out"
  [ "$(tail -n 1 table.txt | cut -d ' ' -f 3-7)" = "0 0 0 0 0" ]
  ok $? "$n cases on $ranks ranks: no crash, no hang, right codes, right words, nothing left behind"
}
campaign_on 1 1
campaign_on 3 "${CAMPAIGN_STEP:-3}"

# Some twenty through the command line: every so many of those with one exit code.
awk -F '\t' '$3 ~ /^(65|66|78)$/ && $4 != "" && $2 != "deck" && $2 != "top"' cases/cases.tsv > refused.txt
step=$(($(wc -l < refused.txt) / 20 + 1))
awk "NR % $step == 1" refused.txt > chosen.txt
ranks=1
while IFS=$'\t' read -r -u 3 _ stage expected words settings; do
  arguments=(-s study.directory=out)
  for setting in $settings; do arguments+=(-s "$setting"); done
  ranks=$((4 - ranks))
  refuses "$expected" "$words" $ranks "$stage" "${arguments[@]}"
  [ -z "$(find out -type f 2> /dev/null)" ]
  ok $? "and nothing is left behind"
done 3< chosen.txt
[ -z "$(find . -name 'hit*')" ]
ok $? "no name was taken for a command"

awk 'BEGIN { print "#= ranks  cases  crashes  hangs  wrong codes  wrong messages  left behind  peak MiB a rank" }
     { printf "#= %5d  %5d  %7d  %5d  %11d  %14d  %11d  %15d\n", $1, $2, $3, $4, $5, $6, $7, $8 }' table.txt
finish
