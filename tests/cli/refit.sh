#!/usr/bin/env bash
# Features learned anew in each outer fold: what is held out has no part in them.
# shellcheck source=../tap.sh
source "$(dirname "$0")/../tap.sh"

cat > study.ini << 'INI'
[study]
directory = out
clinical = out/simulated/clinical.tsv
[simulation]
patients = 30
images_per_patient = 3
genes = 40
sets = 3
links = 6
[images]
manifest = out/simulated/images.tsv
size = 16
[autoencoder]
epochs = 1
batch = 16
[genomics]
expression = out/simulated/expression.tsv
unit = count
min_cpm = 10000
min_samples = 8
genes = all
gene_sets = out/simulated/genesets.gmt
signatures = ranged.sig
[prediction]
features = out/factors.h5ad
outcomes = ER,N
fold_file = folds.tsv
inner_folds = 3
lambdas = 10
alpha = 0.05
bootstrap = 20
INI
cat > ranged.sig << 'SIG'
signature ranged
title     Sums of genes on the range of the cohort, with a floor
citation  none

genes panel
  symbol    entrez  group  weight
  GENE0004  -       a      1
  GENE0005  -       a      0.5
  GENE0007  -       b      -1
  GENE0011  -       b      0.7
end

steps
  rescale panel range 0 15
  sum one = panel weight a
  clip one 8 inf
  sum other = panel weight b
  combine score = 0.5 * one + other
  rescale score quantile 0.1 0 100
  clip score 0 100
end
score score
SIG
awk 'BEGIN {
  print "patient\trepeat\tfold"
  for (i = 1; i <= 30; i++) printf "SIM-%04d\t1\t%d\n", i, 1 + i % 2
}' > folds.tsv

# python CODE ARGUMENT...
python() {
  /usr/bin/python3 -c "import sys, h5py, numpy as np
def texts(group, name): return [x.decode() if isinstance(x, bytes) else x for x in group[name][:]]
def matrix(path):
    f = h5py.File(path)
    return texts(f['obs'], f['obs'].attrs['_index']), texts(f['var'], f['var'].attrs['_index']), f['X'][:]
$1" "${@:2}"
}

# shellcheck disable=SC2016
compare='
a, b = [[line.split("\t") for line in open(p)] for p in sys.argv[1:]]
assert [r[:4] for r in a] == [r[:4] for r in b]
worst = max(abs(float(x) - float(y)) for r, s in zip(a[1:], b[1:]) for x, y in zip(r[4:], s[4:]) if x.strip() != "NA")
assert worst < 1e-8, worst'

radmix_on 1 simulate study.ini
radmix_on 1 factors study.ini

# ---- factors ----

radmix_on 1 predict study.ini
[ "$code" = 0 ] && grep -q 'factors are learned anew in each of 2 outer folds .*: by the records .* at most' err.txt &&
  grep -q 'learned anew in each outer fold, from its training patients alone: factors' err.txt
ok $? "factors scored within the cohort are learned anew in each fold, and its cost is said"
cp out/predictions-scores.tsv one.tsv

# The same by hand, for fold 2: the table cut, its training part scored, the rest by what it gave.
awk -F '\t' -v OFS='\t' 'NR == FNR { if ($3 == 1) trains[$1] = 1; next }
  FNR == 1 { for (i = 2; i <= NF; i++) is[i] = $i in trains }
  { a = b = $1
    for (i = 2; i <= NF; i++) { if (is[i]) a = a OFS $i; else b = b OFS $i }
    print a > "training.tsv"; print b > "held.tsv" }' folds.tsv out/simulated/expression.tsv
radmix_on 1 factors study.ini -s study.directory=training -s genomics.expression=training.tsv
radmix_on 1 factors study.ini -s study.directory=held -s genomics.expression=held.tsv \
  -s genomics.apply=training/factors.h5ad
python '
rows, columns, x = matrix("training/factors.h5ad")
others, names, y = matrix("held/factors.h5ad")
take = [names.index(c) for c in columns]
with open("by-hand.tsv", "w") as out:
    print("patient", *columns, sep="\t", file=out)
    for r, v in list(zip(rows, x)) + list(zip(others, y[:, take])):
        print(r, *(repr(float(k)) for k in v), sep="\t", file=out)
whole, all_columns, z = matrix("out/factors.h5ad")
assert len(all_columns) > len(columns) > 4, (len(all_columns), len(columns))
p, j, k = others[0], columns.index("ranged"), all_columns.index("ranged")
moved = abs(np.array([y[others.index(p), take[j]] - z[whole.index(p), k] for p in others]))
assert moved.max() > 1, moved'
ok $? "by hand: fewer genes pass, and scores move"
radmix_on 1 predict study.ini -s study.directory=by-hand -s prediction.features=by-hand.tsv
python '
def scores(path):
    return {(r[0], r[2]): float(r[4]) for r in (line.split("\t") for line in list(open(path))[1:])}
fold = dict(line.split("\t")[::2] for line in open("folds.tsv"))
a, b = scores("one.tsv"), scores("by-hand/predictions-scores.tsv")
held = [k for k in a if fold[k[1]].strip() == "2"]
assert len(held) == 30 and max(abs(a[k] - b[k]) for k in held) < 1e-9
assert max(abs(a[k] - b[k]) for k in a) > 1e-6'
ok $? "a fold is what factors and genomics.apply make of the cut table"

# ---- strict ----

# strict RANKS: predicts from the encoder's features and the factors, all learned anew.
strict() {
  radmix_on "$1" predict study.ini -s prediction.strict_folds=yes -s prediction.features= \
    -s prediction.compare=out/factors.h5ad "${@:2}"
}

# same FILE OBJECT...: nothing in it has changed since it was kept.
same() {
  local file=$1 object
  for object in "${@:2}"; do
    h5diff "kept/$file" "out/$file" "$object" > /dev/null || return 1
  done
}

radmix_on 2 run study.ini -s study.stages=slice,train,encode
strict 1 --force
[ "$code" = 0 ] && grep -q 'encoder, normalisation and factors are learned anew in each of 2 outer folds' err.txt &&
  grep -q 'predict: ER from union: AUC' err.txt
ok $? "strict folds learn encoder, normalisation and factors anew"
cp out/predictions-scores.tsv one.tsv
cp -r out kept
rm out/predictions.h5
strict 3
[ "$code" = 0 ] && [ out/refit/repeat-1-fold-1/model.h5 -ot out/predictions.h5 ] &&
  cmp -s kept/refit/repeat-1-fold-2/model.h5 out/refit/repeat-1-fold-2/model.h5 && python "$compare" one.tsv out/predictions-scores.tsv
ok $? "what is up to date is not learned again, and three ranks agree"

# Patient 2 is held out in fold 1: other images, other expression.
cp out/simulated/nifti/SIM-0009.nii.gz out/simulated/nifti/SIM-0002.nii.gz
awk -F '\t' -v OFS='\t' 'FNR > 1 { $3 = 1 + 2 * $3 } 1' out/simulated/expression.tsv > changed.tsv
mv changed.tsv out/simulated/expression.tsv
radmix_on 2 run study.ini -s study.stages=slice,train,encode,factors --force
[ "$code" = 0 ] && ! same model.h5 /weights/best
ok $? "a patient is changed, and the model of all with it"
strict 2 --force
held=refit/repeat-1-fold-1 trains=refit/repeat-1-fold-2
[ "$code" = 0 ] && same $held/model.h5 /weights /history && same $held/features.h5ad /uns/quantile_reference &&
  same $held/learned/factors.h5ad /X /var /uns/scales /uns/training /uns/training_expression
ok $? "where it is held out, no weight, reference, gene or scale moves"
! same $trains/model.h5 /weights/best && ! same $trains/features.h5ad /uns/quantile_reference &&
  ! same $trains/learned/factors.h5ad /uns/scales
ok $? "where it trains, they do"
python '
rows, _, a = matrix("kept/refit/repeat-1-fold-1/features.h5ad"); _, _, b = matrix("out/refit/repeat-1-fold-1/features.h5ad")
p = texts(h5py.File("out/features.h5ad")["obs"], "patient") if "categories" not in h5py.File("out/features.h5ad")["obs/patient"] else None
f = h5py.File("out/features.h5ad")["obs/patient"]
p = np.array(texts(f, "categories"))[f["codes"][:]] if p is None else np.array(p)
moved = {q for q in p if (a[p == q] != b[p == q]).any()}
assert moved == {"SIM-0002"}, moved'
ok $? "there only its own features move"

refuses 78 'expected prediction.split = patient' 1 predict study.ini -s prediction.strict_folds=yes \
  -s prediction.split=image --force
rm out/model.h5
refuses 66 'run slice, train and encode before' 1 predict study.ini -s prediction.strict_folds=yes \
  -s prediction.features= --force
finish
