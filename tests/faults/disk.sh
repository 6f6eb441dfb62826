#!/usr/bin/env bash
# Disks and folders that refuse, files that vanish: each command ends with its code and one line, what
# was whole stays whole, and nothing partial is under a final name. Output: TAP.
# shellcheck source=tests/tap.sh
. "$(dirname "$0")/../tap.sh"

# The part that needs a tmpfs and a read-only mount runs in a mount namespace of its own.
if [ "${1-}" != inside ]; then
  spaces=(--mount)
  [ "$(id -u)" = 0 ] || spaces+=(--user --map-root-user)
  if unshare "${spaces[@]}" true 2> /dev/null; then exec unshare "${spaces[@]}" bash "$0" inside; fi
  skip "disks and folders that refuse" "this account may not mount"
  finish
fi
mount --make-rprivate /
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1

cat > study.ini << 'END'
[study]
directory = out
clinical = cohort/simulated/clinical.tsv
[images]
manifest = cohort/simulated/images.tsv
size = 32
[autoencoder]
epochs = 2
checkpoint_minutes = 0.001
[genomics]
expression = cohort/simulated/expression.tsv
gene_sets = cohort/simulated/genesets.gmt
[clustering]
clusters = 3
perplexity = 4
iterations = 10
pca = 10
[prediction]
folds = 2
inner_folds = 2
lambdas = 10
bootstrap = 50
[simulation]
patients = 16
images_per_patient = 6
genes = 60
sets = 4
links = 4
END
radmix_on 2 simulate study.ini -s study.directory=cohort
ok "$code" "a cohort is simulated"
radmix_on 2 run study.ini
ok "$code" "the whole flow runs"
(cd out && find . -type f -exec sha256sum {} + | sort -k 2) > whole.txt

# The stages, and the files that each makes.
stages='slice:images.h5ad train:model.h5,history.tsv encode:features.h5ad,patients.h5ad
factors:factors.h5ad,factors.tsv associate:associations.h5ad,associations.tsv cluster:clusters.h5ad
predict:predictions.h5'

# What is in the folder now is what was there, or is not there.
nothing_changed() {
  local bad=0
  (cd "$1" && find . -type f -exec sha256sum {} + | sort -k 2) > now.txt
  while read -r sum name; do
    grep -qxF "$sum  $name" whole.txt || { echo "# $name: partial or changed"; bad=1; }
  done < <(grep -vE '\.part$|checkpoint|\.lock$' now.txt)
  return $bad
}

# A copy of the results without those of one stage, in folder.
without() {
  local folder=$1 file
  cp -r out/. "$folder"
  for file in ${2//,/ }; do rm -f "$folder/$file"; done
}

# one_line EXPECTED NAME: the last command ended with EXPECTED and said one line.
one_line() {
  local lines good=1
  lines=$(grep -c '^radmix: ' err.txt)
  if [ "$code" = "$1" ] && [ "$lines" = 1 ]; then good=0; fi
  ok $good "$2"
  [ $good = 0 ] || { echo "# exit $code, $lines lines:"; tail -n 5 err.txt | sed 's/^/# /'; }
}

mkdir small
for entry in $stages; do
  stage=${entry%%:*} files=${entry#*:} first=${files%%,*}
  [ -e "out/$first" ] || { skip "$stage on a full disk" "not in this build"; continue; }

  mount -t tmpfs -o size=200M tmpfs small
  without small "$files"
  # All but 6 kB is filled: the first page goes to .lock, what follows does not fit.
  head -c 190M /dev/zero > small/filler 2> /dev/null
  cat /dev/zero >> small/filler 2> /dev/null
  truncate -s -8192 small/filler
  radmix_on 3 "$stage" study.ini -s study.directory=small
  one_line 74 "$stage on a full disk ends with 74 and one line"
  rm small/filler
  check=$(nothing_changed small); ok $? "$stage on a full disk harms no file"
  [ -z "$check" ] || echo "$check"
  radmix_on 3 "$stage" study.ini -s study.directory=small
  ok "$code" "$stage goes on when there is space"
  umount small

  # A quota ends a write short, as this limit of the size of a file does. MPI's own files are larger.
  rm -rf short && mkdir short && without short "$files"
  (
    export PMIX_MCA_gds=hash OMPI_MCA_btl=tcp,self OMPI_MCA_coll=^sm
    ulimit -f 16
    radmix_on 3 "$stage" study.ini -s study.directory=short
    echo "$code" > code.txt
  )
  code=$(cat code.txt)
  one_line 74 "$stage with a write cut short ends with 74 and one line"
  check=$(nothing_changed short); ok $? "$stage with a write cut short harms no file"
  [ -z "$check" ] || echo "$check"

  rm -rf fixed && mkdir fixed && without fixed "$files"
  mount --bind fixed fixed && mount -o remount,bind,ro fixed
  radmix_on 3 "$stage" study.ini -s study.directory=fixed
  one_line 74 "$stage in a read-only folder ends with 74 and one line"
  umount fixed
done

# A gnuplot that is killed with the job, or alone, leaves no half of a figure and no page without it.
rm -rf drawn && mkdir drawn bin && without drawn nothing && rm -rf drawn/report
cat > bin/gnuplot << 'END'
#!/bin/sh
for script; do :; done
echo half > "${script%.gp}.svg.drawn"
kill -9 $$
END
chmod +x bin/gnuplot
path=$PATH
export PATH=$PWD/bin:$PATH
radmix_on 2 report study.ini -s study.directory=drawn
export PATH=$path
one_line 75 "report whose gnuplot is killed ends with 75 and one line"
found=$(find drawn/report -name '*.svg' -o -name '*.pdf' -o -name '*.html')
[ -z "$found" ]
ok $? "and leaves no figure and no page"
radmix_on 2 report study.ini -s study.directory=drawn
ok "$code" "report goes on with a gnuplot that lives"
[ -z "$(find drawn/report -name '*.part' -o -name '*.drawn' -o -name '*.said')" ]
ok $? "and leaves nothing that is not whole"

: > file
refuses 74 file/below 3 slice study.ini -s study.directory=file/below
mkdir -p made && rmdir made
radmix_on 2 slice study.ini -s study.directory=made/by/itself
ok "$code" "a folder that is missing is made"
mkdir folder folder/images.h5ad
radmix_on 3 slice study.ini -s study.directory=folder
one_line "$code" "a folder where a result should go ends with one line (exit $code)"
ok $((code == 0)) "and not with success"

# An input that vanishes while it is read: either it had been read, or it is one line and 66.
mkdir vanish
cp -r cohort/simulated vanish/
RADMIX_ISA=2 timeout 60 mpirun -q --oversubscribe -n 3 "$RADMIX" slice study.ini -s study.directory=vanish/out \
  -s images.manifest=vanish/simulated/images.tsv > out.txt 2> err.txt &
pid=$!
until grep -q 'slice: ' err.txt || ! kill -0 $pid 2> /dev/null; do sleep 0.01; done
rm -rf vanish/simulated/nifti
wait $pid
code=$?
good=1
case $code in
  0) [ -s vanish/out/images.h5ad ] && good=0 ;;
  66) [ "$(grep -c '^radmix: ' err.txt)" = 1 ] && [ ! -e vanish/out/images.h5ad ] && good=0 ;;
esac
ok $good "an input that vanishes ends with 66 and one line, or was read before (exit $code)"
finish
