#!/usr/bin/env bash
# The report of a small simulated study, of parts of it, without gnuplot, and of nothing.
# shellcheck source=../tap.sh
source "$(dirname "$0")/../tap.sh"

cat > study.ini << 'INI'
[study]
directory = out
clinical = out/simulated/clinical.tsv
[simulation]
patients = 12
images_per_patient = 4
genes = 20
sets = 2
links = 4
[images]
manifest = out/simulated/images.tsv
[autoencoder]
epochs = 1
[genomics]
expression = out/simulated/expression.tsv
unit = count
gene_sets = out/simulated/genesets.gmt
INI
page=out/report/index.html

radmix_on 1 report study.ini
[ "$code" = 0 ] && grep -q 'Slices: absent' $page && grep -q 'Autoencoder: absent' $page &&
  grep -q 'Associations: absent' $page && grep -q 'Clusters: absent' $page && grep -q 'Predictions: absent' $page
ok $? "a report of nothing says what is absent"

radmix_on 2 simulate study.ini -q
for command in slice train encode factors associate; do radmix_on 2 $command study.ini -q; done
[ "$code" = 0 ] && [ -e out/associations.h5ad ]
ok $? "a small study is there"

if ! command -v gnuplot > /dev/null; then
  refuses 69 gnuplot-nox 2 report study.ini
  skip "figures of a study" "gnuplot is not installed"
  finish
fi

radmix_on 2 report study.ini
[ "$code" = 0 ] && [ -s $page ]
ok $? "a report is written on two ranks"
good=0
for script in out/report/figures/*.gp; do
  for ending in dat svg pdf; do [ -s "${script%.gp}.$ending" ] || { echo "# ${script%.gp}.$ending"; good=1; }; done
done
[ $good = 0 ] && [ "$(find out/report/figures -name '*.gp' | wc -l)" -ge 7 ]
ok $? "each figure is there as SVG and PDF, with script and data"
[ -z "$(find out/report -name '*.said' -o -name '*.part')" ]
ok $? "nothing else is left behind"
! grep -qE '(src|href)="(https?:)?//' $page && ! grep -qE '@import|url\(http' $page
ok $? "the page asks for nothing from a network"
grep -q '<b>12 patients, 48 slices</b>' $page
ok $? "the summary counts patients and slices"

radmix_on 1 report study.ini
grep -q 'is up to date' err.txt
ok $? "a report of the same files is up to date"
touch out/report/figures/stale.svg
radmix_on 1 report study.ini --force
[ "$code" = 0 ] && [ ! -e out/report/figures/stale.svg ]
ok $? "--force makes it again, and removes figures of an earlier one"

# A path with every program but gnuplot.
mkdir bin
IFS=: read -ra folders <<< "$PATH"
for folder in "${folders[@]}"; do ln -s "$folder"/* bin/ 2> /dev/null; done
rm -f bin/gnuplot*
rm -f $page
PATH="$PWD/bin" "$RADMIX" report study.ini --force 2> err.txt
code=$?
[ $code = 69 ] && grep -q '^radmix: .*gnuplot-nox' err.txt && grep -q '<table' $page
ok $? "without gnuplot the package is named, and the tables are written"
finish
