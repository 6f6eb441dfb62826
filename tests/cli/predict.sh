#!/usr/bin/env bash
# Prediction through the command line, on a table of features whose outcomes are noise.
# shellcheck source=../tap.sh
source "$(dirname "$0")/../tap.sh"

cat > study.ini << 'INI'
[study]
directory = out
clinical = out/simulated/clinical.tsv
[simulation]
patients = 24
images_per_patient = 50
features = 110
icc = 0.6
genes = 10
sets = 0
links = 0
outcomes = null
[prediction]
features = out/simulated/features.tsv
outcomes = ER,N
folds = 3
inner_folds = 3
lambdas = 8
bootstrap = 20
INI

# column NAME OUTCOME: a cell of the summary.
column() {
  awk -F '\t' -v name="$1" -v outcome="$2" '
    NR == 1 { for (i = 1; i <= NF; i++) if ($i == name) at = i }
    NR > 1 && $1 == outcome { print $at }' out/predictions-summary.tsv
}

# within VALUE LEAST MOST
within() {
  awk -v v="$1" -v a="$2" -v b="$3" 'BEGIN { exit !(v != "" && v != "NA" && v >= a && v <= b) }'
}

radmix_on 1 simulate study.ini

# ---- slices held out, as in the paper ----

radmix_on 2 predict study.ini -s prediction.split=image
[ "$code" = 0 ] && grep -q 'warning: split = image puts slices of one patient on both sides' err.txt &&
  grep -q 'ER from features: slices held out: AUC of slices .*; patients held out: of slices' err.txt
ok $? "slices held out: a warning, and both AUCs side by side"
cp out/predictions-summary.tsv two.tsv
within "$(column auc_rows ER)" 0.75 1 && within "$(column patient_split_auc ER)" 0.1 0.8
ok $? "noise is predicted where slices leak, not where patients are held out"
radmix_on 1 predict study.ini -s prediction.split=image --force
cmp -s two.tsv out/predictions-summary.tsv
ok $? "one rank and two agree"
leaky=$(column patient_split_auc ER)
radmix_on 1 predict study.ini --force
[ "$code" = 0 ] && [ "$(column auc ER)" = "$leaky" ] && [ "$(column patient_split_auc ER)" = NA ]
ok $? "what stands beside it is the split by patient itself"

radmix_on 1 predict study.ini -s prediction.split=image -s prediction.folds=1 --force
[ "$code" = 0 ] && [ "$(cut -f 3 out/folds.tsv | grep -c 1)" = 7 ] && # 0.3 x 24
  [ "$(cut -f 3 out/folds.tsv | grep -c 0)" = 17 ] && within "$(column auc_rows ER)" 0.7 1
ok $? "the paper's single split holds out test_share"
cp out/folds.tsv folds.tsv
radmix_on 1 predict study.ini -s prediction.folds=1 --force
cp out/predictions-summary.tsv dealt.tsv
radmix_on 1 predict study.ini -s prediction.fold_file=folds.tsv --force
[ "$code" = 0 ] && cmp -s dealt.tsv out/predictions-summary.tsv
ok $? "its fold file is read back to the same numbers"
refuses 78 'prediction.level = image' 1 predict study.ini -s prediction.split=image \
  -s prediction.level=patient --force

# ---- labels permuted ----

permuted=(-s prediction.permutations=20 -s prediction.level=patient --force)
radmix_on 2 predict study.ini "${permuted[@]}"
[ "$code" = 0 ] && grep -qE 'labels of 2 outcomes permuted over patients 20 times, .*: about' err.txt &&
  within "$(column permutation_mean_auc ER)" 0.3 0.6 && within "$(column permutation_p N)" 0.04 1
ok $? "labels are permuted over patients, and what it costs is said first"
cp out/predictions-summary.tsv two.tsv
radmix_on 1 predict study.ini "${permuted[@]}"
cmp -s two.tsv out/predictions-summary.tsv
ok $? "permutations are the same on one rank"

# ---- asked to stop ----

long=(predict study.ini -s prediction.permutations=60 -s prediction.repeats=3)
rm out/predictions.h5
"$RADMIX" "${long[@]}" 2> err.txt &
job=$!
until [ -e out/predictions-checkpoint.h5 ] || ! kill -0 $job 2> /dev/null; do
  grep -q 'permuted over patients' err.txt && kill -USR1 $job
  sleep 0.05
done
wait $job
[ $? = 75 ] && [ -e out/predictions-checkpoint.h5 ] && [ ! -e out/predictions.h5 ]
ok $? "asked to stop, predict leaves a checkpoint and ends with 75"
cp out/predictions-checkpoint.h5 kept.h5
refuses 73 'predict was interrupted with prediction.alpha = 1, expected prediction.alpha = 0.5' 1 \
  "${long[@]}" -s prediction.alpha=0.5
radmix_on 2 "${long[@]}"
[ "$code" = 0 ] && grep -q 'goes on from a checkpoint' err.txt && [ ! -e out/predictions-checkpoint.h5 ]
ok $? "the same command goes on, and the checkpoint is gone at the end"
cp out/predictions-summary.tsv resumed.tsv
radmix_on 2 "${long[@]}" --force
cmp -s resumed.tsv out/predictions-summary.tsv
ok $? "the result is that of a run left alone"
cp kept.h5 out/predictions-checkpoint.h5
printf '\x01' | dd of=out/predictions-checkpoint.h5 bs=1 seek=$(($(stat -c %s kept.h5) / 2)) conv=notrunc status=none
rm out/predictions.h5
radmix_on 2 "${long[@]}"
[ "$code" = 0 ] && grep -q 'predictions-checkpoint.h5 is damaged and not used: .*checksum' err.txt &&
  cmp -s resumed.tsv out/predictions-summary.tsv
ok $? "a damaged checkpoint is named and passed over"
finish
