#!/usr/bin/env bash
# Controls of a study of a table of features: permutations, other features, slices held out.
# shellcheck source=../tap.sh
source "$(dirname "$0")/../tap.sh"

if ! command -v gnuplot > /dev/null; then
  skip "controls of a study" "gnuplot is not installed"
  finish
fi
cat > study.ini << 'INI'
[study]
directory = out
clinical = out/simulated/clinical.tsv
[simulation]
patients = 24
images_per_patient = 4
features = 12
genes = 10
sets = 0
links = 2
effect = 0.8
[genomics]
expression = out/simulated/expression.tsv
unit = count
[association]
features = out/simulated/features.tsv
[prediction]
features = out/simulated/features.tsv
compare = conventional.tsv
outcomes = ER
folds = 3
inner_folds = 3
lambdas = 10
bootstrap = 20
[report]
controls = yes
INI
page=out/report/index.html

radmix_on 1 simulate study.ini
cp out/simulated/features.tsv conventional.tsv
for command in factors associate predict; do radmix_on 1 $command study.ini; done
[ "$code" = 0 ] && [ -e out/predictions.h5 ]
ok $? "a study of a table of features is there"

radmix_on 1 report study.ini
[ "$code" = 0 ] && grep -q 'control random left out' err.txt && grep -q 'control compare: ' err.txt &&
  grep -q 'ER from features: slices held out: AUC' err.txt
ok $? "the controls run, and what cannot is said"
[ "$(tail -n +2 out/controls/permutations.tsv | cut -f 2 | sort -n | uniq | wc -l)" = 100 ] &&
  [ "$(tail -n +2 out/controls/permutations.tsv | cut -f 1 | sort | uniq | wc -l)" = 1 ]
ok $? "patients are permuted a hundred times"
cp out/controls/permutations.tsv whole.tsv
grep -q 'patients permuted, 100 times' $page && grep -q 'conventional features' $page
ok $? "the page shows them beside the study"
grep -q 'AUC of slices, slices held out' $page && [ -e out/controls/split-image/predictions.h5 ]
ok $? "and what prediction is when slices are held out"
if command -v h5diff > /dev/null; then
  h5diff out/associations.h5ad out/controls/compare/associations.h5ad /layers/log10_p
  ok $? "the same table on the same patients gives the same p values"
else
  skip "the same table on the same patients" "h5diff is not installed"
fi

head -n 91 whole.tsv > out/controls/permutations.tsv
radmix_on 2 report study.ini
cmp -s whole.tsv out/controls/permutations.tsv
ok $? "after ninety permutations it goes on, on another number of ranks, to the same counts"
finish
