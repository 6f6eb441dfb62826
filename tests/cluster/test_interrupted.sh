#!/usr/bin/env bash
# Training that is stopped: at its time limit, by a job of higher priority, by scancel, by a dead rank.
# Each goes on by itself or when it is submitted again, and gives the bits of a run left alone.
. "$RADMIX_TOP/tests/cluster/lab.sh"
export RADMIX_NODES=2 RADMIX_RANKS=1

# So many epochs that training takes about 33 s here and now, with one rank on each node.
make_cohort 10 > cohort.log 2>&1
ok $? "a cohort is simulated"
RADMIX_HERE=yes RADMIX_RANKS=2 "$JOBS/slice.sh" study.ini > slice.log 2>&1
RADMIX_HERE=yes RADMIX_RANKS=2 "$JOBS/train.sh" study.ini > calibrate.log 2>&1
ok $? "ten epochs are trained on this machine"
slices=$(sed -n 's/.*train: \([0-9]*\) slices of.*/\1/p' calibrate.log)
rate=$(sed -n 's/.*, \([0-9]*\) images\/s.*/\1/p' calibrate.log | tail -n 1)
epochs=$((33 * ${rate:-2000} / ${slices:-100}))
rm out/model.h5 out/history.tsv
sed -i "s/^epochs = .*/epochs = $epochs/" study.ini
for folder in limit cancel; do cp -r out $folder; done

# The warning comes 50 s before the limit of a minute, so that the job is told to stop after 10 to 20 s.
RADMIX_TRAIN_TIME=1 RADMIX_WARNING=50 "$JOBS/pipeline.sh" study.ini -s study.directory=limit \
  -s study.stages=train,encode > limit.txt
train=$(job_of train limit.txt) encode=$(job_of encode limit.txt)
check "the job is told to stop before its limit" wait_for_line "radmix-train-$train.log" 60 'told to save and stop'
check "it leaves with 75 and is requeued" wait_for_line "radmix-train-$train.log" 20 'back into the queue'
RADMIX_HERE=yes RADMIX_RANKS=1 "$JOBS/train.sh" study.ini > out.log 2>&1 &
alone=$!
check "there is a checkpoint and no model" test -s limit/checkpoint.h5 -a ! -e limit/model.h5
check "the stage after it still waits" wait_for_state "$encode" 1 PENDING
check "it runs again and ends" wait_for_end "$train" 100
check "and succeeds" test "$(state_of "$train")" = COMPLETED
check "it was started more than once" test "$(restarts_of "$train")" -ge 1
check "the stage after it ran then" wait_for_end "$encode" 30
check "and succeeds too" test "$(state_of "$encode")" = COMPLETED
wait $alone
ok $? "training without interruption ends"
check "the model has the bits of a run without interruption" same_bits out/model.h5 limit/model.h5
check "the history too" cmp out/history.tsv limit/history.tsv

"$JOBS/train.sh" study.ini -s study.directory=cancel > cancel.txt
train=$(job_of train cancel.txt)
wait_for_line "radmix-train-$train.log" 60 'epoch [0-9]+/' > /dev/null
scancel "$train"
check "scancel ends the job" wait_for_state "$train" 30 CANCELLED
check "there is no model" test ! -e cancel/model.h5

"$JOBS/train.sh" study.ini -s study.directory=cancel > dead.txt
train=$(job_of train dead.txt)
wait_for_line "radmix-train-$train.log" 60 'epoch [0-9]+/' > /dev/null
check "a rank is killed" pkill -9 -n -f '^[^ ]*radmix train .*study.directory=cancel'
check "its job ends at once" wait_for_end "$train" 30
check "and has failed" test "$(state_of "$train")" = FAILED
check "there is no model" test ! -e cancel/model.h5

RADMIX_SBATCH='--partition=main' "$JOBS/train.sh" study.ini -s study.directory=cancel > preempt.txt
train=$(job_of train preempt.txt)
check "submitted again it goes on in the same folder" wait_for_line "radmix-train-$train.log" 60 'epoch [0-9]+/'
high=$(sbatch --parsable -p high -N2 --exclusive --mem=1000 --time=1 --output=high.log --wrap='sleep 2')
check "a job of higher priority gets the nodes" wait_for_end "$high" 60
check "the training is requeued and ends" wait_for_end "$train" 100
check "it succeeds" test "$(state_of "$train") $(restarts_of "$train")" = "COMPLETED 1"
check "with the same bits" same_bits out/model.h5 cancel/model.h5
finish
