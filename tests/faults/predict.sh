#!/usr/bin/env bash
# Outcomes and features that cannot be predicted from, or are too easy: a status, one line, no NaN
# where a number is due, and more ranks than patients.
# shellcheck source=../tap.sh
source "$(dirname "$0")/../tap.sh"

awk 'BEGIN {
  srand(4)
  print "patient\tone\tfew\tER\ttext" > "clinical.tsv"
  print "patient\tflat\tholed\ta\tb" > "features.tsv"
  print "patient\tflat\tother" > "flat.tsv"
  for (i = 1; i <= 12; i++) {
    p = sprintf("P%02d", i)
    print p "\t1\t" (i == 1) "\t" (i % 2) "\tx" > "clinical.tsv"
    print p "\t3\t" (i == 5 ? "NA" : i) "\t" (i % 2 ? 5 : -5) + rand() "\t" rand() > "features.tsv"
    print p "\t3\t0" > "flat.tsv"
  }
  print "patient\ta" > "two.tsv"
  print "P01\t1\nP02\t2" > "two.tsv"
}'
cat > study.ini << 'INI'
[study]
directory = out
clinical = clinical.tsv
[prediction]
features = features.tsv
outcomes = one,few,ER
folds = 3
inner_folds = 3
lambdas = 20
bootstrap = 20
INI

# status OUTCOME
status() {
  awk -F '\t' -v outcome="$1" '$1 == outcome { print $3 }' out/predictions-summary.tsv
}

radmix_on 2 predict study.ini
[ "$code" = 0 ] && [ "$(status one)" = one_class ] && [ "$(status few)" = too_few_patients ] &&
  grep -q 'warning: one from features: not predicted: one_class' err.txt
ok $? "one class, or one patient of a class, is a status and a line"
grep -q '1 of 4 features left out for missing or infinite values (holed)' err.txt
ok $? "a feature with a missing value is left out by name"
[ "$(status ER)" = ok ] && awk -F '\t' '
  NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i }
  $1 == "ER" { exit !($at["auc"] == 1 && $at["delong_lower"] > 0 && $at["delong_lower"] < 0.9 &&
                      $at["lambda_min"] > 0 && $at["kkt"] < 1e-5) }' out/predictions-summary.tsv
ok $? "separable outcomes: AUC 1 with an interval, a finite model"
grep -q '6 positive and 6 negative patients tell an AUC from 0.5 with 80 % power when it is at least 0.9' err.txt
ok $? "what so few patients can show is said"
! grep -iE '\b-?(nan|inf)\b' out/predictions-scores.tsv out/predictions-path.tsv > /dev/null
ok $? "no NaN among scores and path"
cp out/predictions-scores.tsv two-ranks.tsv
cp out/predictions.h5 models.h5
cp out/predictions-selected.tsv selected.tsv
radmix_on 13 predict study.ini --force
[ "$code" = 0 ] && cmp -s two-ranks.tsv out/predictions-scores.tsv
ok $? "more ranks than patients give the same scores"
radmix_on 1 predict study.ini -s prediction.features=flat.tsv --force
[ "$code" = 0 ] && [ "$(status ER)" = no_features ] && grep -q 'ER from flat: not predicted: no_features' err.txt
ok $? "a constant matrix is a status"
radmix_on 1 predict study.ini -s prediction.features=two.tsv --force
[ "$code" = 0 ] && [ "$(status ER)" = too_few_patients ]
ok $? "two patients are a status"
refuses 65 'clinical column text: expected numbers' 1 predict study.ini -s prediction.outcomes=text \
  -s prediction.family=gaussian --force

# ---- models on new patients ----

head -n 7 features.tsv > fewer.tsv
radmix_on 2 predict study.ini -s prediction.apply=models.h5 -s prediction.features=fewer.tsv
[ "$code" = 0 ] && grep -q 'fewer.tsv in the place of the set features' err.txt &&
  grep -q 'ER from features: AUC 1.000 .* 6 new patients, 3 positive' err.txt
ok $? "a model is applied to new patients"
awk -F '\t' '
  FILENAME == "selected.tsv" && $1 == "ER" { weight[$3] = $9 }
  FILENAME == "fewer.tsv" && FNR == 1 { for (i = 2; i <= NF; i++) name[i] = $i }
  FILENAME == "fewer.tsv" && FNR > 1 { for (i = 2; i <= NF; i++) sum[$1] += weight[name[i]] * $i }
  FILENAME ~ /applied/ && $1 == "ER" {
    d = $5 - sum[$3]
    if (n++ && (d - first > 1e-8 || first - d > 1e-8)) bad = 1
    first = d
  }
  END { exit bad || n != 6 }' selected.tsv fewer.tsv out/predictions-applied.tsv
ok $? "its scores are the coefficients times the features, but for one intercept"
cut -f 1-3,5 features.tsv > without.tsv
refuses 65 "without.tsv: expected the feature 'a' of the model" 2 predict study.ini \
  -s prediction.apply=models.h5 -s prediction.features=without.tsv --force
refuses 65 "study.ini" 1 predict study.ini -s prediction.apply=study.ini --force
finish
