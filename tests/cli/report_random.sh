#!/usr/bin/env bash
# The control of a study of images: encoders that have learnt nothing, and another annotated matrix.
# shellcheck source=../tap.sh
source "$(dirname "$0")/../tap.sh"

if ! command -v gnuplot > /dev/null || ! command -v h5diff > /dev/null; then
  skip "controls by random encoders" "gnuplot or h5diff is not installed"
  finish
fi
cat > study.ini << 'INI'
[study]
directory = out
clinical = out/simulated/clinical.tsv
[simulation]
patients = 12
images_per_patient = 3
genes = 8
links = 2
effect = 0.5
sets = 0
[images]
manifest = out/simulated/images.tsv
[genomics]
expression = out/simulated/expression.tsv
unit = count
[autoencoder]
epochs = 1
validation = 0
[prediction]
compare = other.h5ad
[report]
controls = yes
INI
radmix_on 1 simulate study.ini
for command in slice train encode factors associate; do radmix_on 2 $command study.ini; done
[ "$code" = 0 ]
ok $? "a study of images is there"
cp out/features.h5ad other.h5ad

radmix_on 2 report study.ini
[ "$code" = 0 ] && [ -e out/controls/random-1/associations.h5ad ] && grep -q 'control random-1: ' err.txt
ok $? "encoders that have learnt nothing are asked too"
grep -q 'andom encoder' out/report/index.html
ok $? "the page tells what they find"
h5diff -d 1e-9 out/associations.h5ad out/controls/compare/associations.h5ad /layers/log10_p # means are added up anew
ok $? "another annotated matrix on the same patients gives its own p values"

# by hand: no epoch, and the seed of the first control
mkdir byhand
cp out/images.h5ad out/factors.h5ad byhand
hand=(-s study.directory=byhand -s study.seed=1002 -s autoencoder.epochs=0)
for command in train encode associate; do radmix_on 1 $command study.ini "${hand[@]}"; done
h5diff byhand/associations.h5ad out/controls/random-1/associations.h5ad /layers/log10_p
ok $? "the same as an encoder of no epoch made by hand"
finish
