#!/usr/bin/env bash
# The flow from real MR volumes and expression to associations: names, statuses, the same bits on any
# number of ranks, and nothing made twice.
# shellcheck source=../tap.sh
source "$(dirname "$0")/../tap.sh"
deck="$(cd "$(dirname "$0")/../.." && pwd)/inputs/tcga-brca.ini"
data="$RADMIX_SHARED/data/tcga-brca"
TAP_LIMIT=200

if [ ! -d "$data" ]; then
  skip "the flow on real breast MR" "no $data"
  finish
fi

# flow RANKS FOLDER ARGUMENT...: the stages up to associate.
flow() {
  local ranks=$1 folder=$2
  shift 2
  radmix_on "$ranks" run "$deck" -s study.directory="$folder" \
    -s study.stages=slice,train,encode,factors,associate -s images.manifest="$data/images.tsv" \
    -s genomics.expression="$data/genes260_log2tpm.tsv" \
    -s genomics.table="$data/pathways150_gsva.tsv" -s study.clinical="$data/clinical.tsv" \
    -s autoencoder.epochs=2 "$@"
}

flow 2 two
ok "$code" "the flow ends with 0"
begin=$(date +%s%N)
flow 2 two
took=$((($(date +%s%N) - begin) / 1000000))
[ "$code" = 0 ] && [ "$(grep -c 'is up to date' err.txt)" -ge 5 ]
ok $? "run again: every stage is up to date ($took ms)"
flow 2 two -s autoencoder.noise=0.06
[ "$code" = 73 ] && grep -q 'radmix: .*autoencoder.noise' err.txt
ok $? "one setting changed: 73, naming it"
flow 2 two -s images.resample=cubic --force
[ "$code" = 0 ] && ! grep -q 'is up to date' <(grep -v factors err.txt)
ok $? "run --force makes again what differs and all that follows"
flow 2 two --force
ok "$code" "and back"
grep -q 'warning: patient TCGA-AO-A03M holds [0-9]* of the [0-9]* slices' err.txt
ok $? "the log warns that one patient holds more than half of the slices"

for ranks in 1 3 7; do
  flow $ranks r$ranks
  different=$code
  for file in two/*.h5ad two/*.h5; do
    name=${file#two/}
    # h5diff wants the excluded path to exist, and says nothing when all is equal
    case $name in *.h5ad) record=/uns/radmix ;; *) record=/radmix ;; esac
    h5diff --exclude-path $record "$file" "r$ranks/$name" > diff.txt 2>&1 || different=1
    [ -s diff.txt ] && different=1 && sed "s|^|# $name: |" diff.txt | head -n 3
  done
  for file in two/*.tsv; do cmp "$file" "r$ranks/${file#two/}" || different=1; done
  ok "$different" "$ranks ranks give the bits of 2"
done

if /usr/bin/python3 -c 'import h5py' 2> /dev/null; then
  /usr/bin/python3 - two/associations.h5ad << 'END'
import sys, h5py, numpy
f = h5py.File(sys.argv[1])
x, status = f["X"][:], f["layers/status"][:]
names = [n.decode() for n in f["uns/status"][:]]
assert x.shape == (4096, 410), x.shape
assert f["obs/_index"].shape == (4096,) and b"ESR1" in f["var/_index"][:]
assert names[:4] == ["ok", "boundary", "zero_within", "one_row"], names
tested = status < 4
assert numpy.isfinite(x[tested]).all() and numpy.isnan(x[~tested]).all()
for layer in "beta se log10_p q_factor q_all q_hierarchical df log10_p_means".split():
    values = f["layers"][layer][:]
    assert numpy.isnan(values[~tested]).all(), layer
    assert numpy.isfinite(values[tested]).mean() > 0.999, layer
assert (f["layers/log10_p"][:][tested] <= 0).all()
assert tested.mean() > 0.1
END
  ok $? "associations have names, layers and statuses"
else
  skip "associations have names, layers and statuses" "no h5py for /usr/bin/python3"
fi
finish
