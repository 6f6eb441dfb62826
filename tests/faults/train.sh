#!/usr/bin/env bash
# Training that is killed or interrupted goes on with the bits of one that was not.
# shellcheck source=../tap.sh
source "$(dirname "$0")/../tap.sh"

images="$RADMIX_SHARED/data/tcga-brca/images.tsv"
if [ ! -e "$images" ]; then
  skip "training goes on after kill -9" "$images is absent"
  finish
fi
# Long enough for two checkpoints on a fast machine before two ranks are done: some 4 s.
settings=(-s "images.manifest=$images" -s autoencoder.epochs=100 -s autoencoder.checkpoint_minutes=0.01)
radmix_on 1 slice "${settings[@]}" -s study.directory=whole
mkdir killed && cp whole/images.h5ad killed
radmix_on 1 train "${settings[@]}" -s study.directory=whole
ok $code "training that nobody disturbs"

# A rank is killed as soon as there is a checkpoint; mpirun ends the others.
kill_one() {
  local ranks=$1 victim
  mpirun -q --oversubscribe -n "$ranks" "$RADMIX" train "${settings[@]}" -s study.directory=killed \
    > out.txt 2> err.txt &
  for _ in $(seq 300); do
    [ -e killed/checkpoint-previous.h5 ] && break
    sleep 0.1
  done
  sleep 0.3 # the newer checkpoint gets its name, long before the next one
  victim=$(pgrep -P "$!" radmix | tail -1)
  [ -n "$victim" ] && kill -9 "$victim"
  wait "$!"
}
kill_one 2
[ ! -e killed/model.h5 ] && [ -e killed/checkpoint.h5 ]
ok $? "a killed rank leaves a checkpoint and no model"

rm -f killed/.lock
size=$(stat -c %s killed/checkpoint.h5)
printf 'nothing is right here' | dd of=killed/checkpoint.h5 bs=1 seek=$((size / 2)) conv=notrunc 2> err.txt
radmix_on 3 train "${settings[@]}" -s study.directory=killed
[ "$code" = 0 ] && grep -q 'checkpoint.h5 is damaged and not used' err.txt
ok $? "the damaged checkpoint is named, the one before is used"

if command -v h5diff > h5diff.txt; then
  h5diff --exclude-path /radmix whole/model.h5 killed/model.h5 > differences.txt 2>&1 && [ ! -s differences.txt ]
  ok $? "the weights have the bits of undisturbed training"
else
  skip "the weights have the bits of undisturbed training" "h5diff is absent"
fi
[ ! -e killed/checkpoint.h5 ] && [ ! -e killed/checkpoint-previous.h5 ]
ok $? "checkpoints are removed at the end"
finish
