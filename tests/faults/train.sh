#!/usr/bin/env bash
# Training that is killed or interrupted goes on with the bits of one that was not.
# shellcheck source=../tap.sh
source "$(dirname "$0")/../tap.sh"

TAP_LIMIT=200 # seconds of one command, on a machine that has other work
images="$RADMIX_SHARED/data/tcga-brca/images.tsv"
if [ ! -e "$images" ]; then
  skip "training goes on after kill -9" "$images is absent"
  finish
fi
# Long enough for two checkpoints on a fast machine before two ranks are done: some 4 s.
settings=(-s "images.manifest=$images" -s autoencoder.epochs=100 -s autoencoder.checkpoint_minutes=0.01)
radmix_on 1 slice "${settings[@]}" -s study.directory=whole
radmix_on 1 train "${settings[@]}" -s study.directory=whole
ok $code "training that nobody disturbs"

# A rank is killed as soon as there are two checkpoints; mpirun ends the others. A machine that is busy
# elsewhere may have trained to the end by then, or stand between two names: then once more.
kill_one() {
  local ranks=$1 victim run
  rm -rf killed && mkdir killed && cp whole/images.h5ad killed
  mpirun -q --oversubscribe -n "$ranks" "$RADMIX" train "${settings[@]}" -s study.directory=killed \
    > out.txt 2> err.txt &
  run=$!
  until [ -e killed/checkpoint-previous.h5 ] && [ -e killed/checkpoint.h5 ]; do
    kill -0 $run 2> /dev/null || break
    sleep 0.05
  done
  victim=$(pgrep -P $run radmix | tail -1)
  [ -n "$victim" ] && kill -9 "$victim"
  wait $run
}
for _ in 1 2 3; do
  kill_one 2
  if [ ! -e killed/model.h5 ] && [ -e killed/checkpoint.h5 ]; then break; fi
done
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
