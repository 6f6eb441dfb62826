#!/usr/bin/env bash
# The whole chain over two nodes, with srun and with mpirun; one bad input; one array.
. "$RADMIX_TOP/tests/cluster/lab.sh"
export RADMIX_NODES=2 RADMIX_RANKS=2 RADMIX_FACTORS_NODES=2

make_cohort 2 > cohort.log 2>&1
ok $? "a cohort is simulated"

for launcher in srun mpirun; do
  RADMIX_LAUNCHER=$launcher "$JOBS/pipeline.sh" study.ini -s study.directory="$launcher" > "$launcher.txt"
  ok $? "$launcher: the pipeline is submitted"
done
RADMIX_NODES=1 "$JOBS/pipeline.sh" study.ini -s study.directory=broken -s images.manifest=absent.tsv > broken.txt
mpirun -q --oversubscribe -n 1 "$RADMIX" run study.ini -s study.directory=here > here.log 2>&1
ok $? "the same deck runs on one rank"

for launcher in srun mpirun; do
  while IFS=' ' read -r stage _ job _; do
    job=${job%,}
    check "$launcher: $stage ends" wait_for_end "$job" 90
    check "$launcher: $stage succeeds" test "$(state_of "$job") $(exit_of "$job")" = "COMPLETED 0:0"
  done < <(grep ': job ' "$launcher.txt")
  for file in here/*.h5ad here/model.h5 here/factors.tsv here/associations.tsv; do
    case $file in
      *clusters.h5ad | *predictions*) check "$launcher: ${file#here/} is there" test -s "$launcher/${file#here/}" ;;
      *.tsv) check "$launcher: ${file#here/} is the same" cmp "$file" "$launcher/${file#here/}" ;;
      *) check "$launcher: ${file#here/} has the bits of one rank" same_bits "$file" "$launcher/${file#here/}" ;;
    esac
  done
  check "$launcher: ranks were on both nodes" grep -q 'on n\[1-2\] with 2(x2) ranks' radmix-train-"$(job_of train "$launcher.txt")".log
  check "$launcher: nothing unfinished is left" test -z "$(find "$launcher" -name '*.part' -o -name .lock)"
done

first=$(job_of slice broken.txt)
check "a stage without its input ends" wait_for_end "$first" 60
check "a stage without its input fails with 66" test "$(state_of "$first") $(exit_of "$first")" = "FAILED 66:0"
check "its log has one line that says why" test "$(grep -c '^radmix: .*absent.tsv' "radmix-slice-$first.log")" = 1
check "the stages after it are cancelled" wait_for_state "$(job_of report broken.txt)" 30 CANCELLED
check "and never started" test ! -e "radmix-train-$(job_of train broken.txt).log"

printf '# two seeds\nslice study.ini -s study.directory=a0\n\nslice study.ini -s study.directory=a1 -s images.size=16\n' > tasks.txt
RADMIX_NODES=1 "$JOBS/array.sh" tasks.txt 1 > array.txt
array=$(job_of array array.txt)
check "both tasks of an array end" wait_for_end "${array}_1" 60
check "each task has its result" test -s a0/images.h5ad -a -s a1/images.h5ad
finish
