#!/usr/bin/env bash
# radmix top: the strongest associations, as TSV for pipes.
# shellcheck source=../tap.sh
source "$(dirname "$0")/../tap.sh"

printf 'patient\tf1\tf2\n' > features.tsv
printf 'patient\tG1\tG2\n' > factors.tsv
for i in $(seq 1 40); do
  printf 'P%02d\t%d\t%d\n' "$i" "$i" $((i * 7 % 41)) >> features.tsv
  printf 'P%02d\t%d\t%d\n' "$i" $((i + i % 3)) $((i * 11 % 43)) >> factors.tsv
done
radmix_on 1 factors -q -s study.directory=out -s genomics.table=factors.tsv
radmix_on 1 associate -q -s study.directory=out -s association.features=features.tsv
ok "$code" "a small table is associated"

radmix_on 1 top -s study.directory=out --n=1
[ "$code" = 0 ] && [ "$(wc -l < out.txt)" = 2 ] && sed -n 2p out.txt | grep -q $'^f1\tG1\t'
ok $? "the strongest association comes first"
radmix_on 2 top -s study.directory=out
[ "$(wc -l < out.txt)" = 5 ]
ok $? "all cells are printed once, on any number of ranks"
radmix_on 1 top -s study.directory=out --factor=G2
[ "$(cut -f 2 out.txt | sort -u | tr '\n' ' ')" = "G2 factor " ]
ok $? "one factor alone"
radmix_on 1 top -s study.directory=out --q=1e-6
[ "$(wc -l < out.txt)" = 2 ]
ok $? "a limit of q"
radmix_on 1 top -s study.directory=out --factors --kind=table
[ "$(wc -l < out.txt)" = 3 ] && sed -n 2p out.txt | grep -q '^G1'
ok $? "factors by their Simes p"

# Only hits kept: the same cells with the same numbers (q with more digits), and none when none is wanted.
mkdir hits && cp out/factors.h5ad hits
radmix_on 1 top -s study.directory=out --n=3
cut -f 1-8 out.txt > all.txt
radmix_on 2 associate -q -s study.directory=hits -s association.features=features.tsv \
  -s association.output=hits -s association.output_p=0.9
radmix_on 1 top -s study.directory=hits --n=3
[ "$code" = 0 ] && cut -f 1-8 out.txt | cmp -s all.txt && cmp -s out/associations.tsv hits/associations.tsv
ok $? "hits alone are those of the whole grid"
radmix_on 1 associate -q --force -s study.directory=hits -s association.features=features.tsv \
  -s association.output=hits -s association.output_p=0
radmix_on 1 top -s study.directory=hits
[ "$code" = 0 ] && [ "$(wc -l < out.txt)" = 1 ]
ok $? "without a hit there is a line of names"
refuses 64 "--rows=3: expected --factor=NAME" 1 top -s study.directory=out --rows=3
refuses 66 "absent/associations.h5ad" 1 top -s study.directory=absent
finish
