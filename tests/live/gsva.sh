#!/usr/bin/env bash
# radmix factors against Debian's GSVA (r-bioc-gsva) on random matrices. Output: TAP.
#
#     tests/live/gsva.sh [SEEDS]         RADMIX=build/release/radmix by default
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/tap.sh
source "$here/../tap.sh"
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OPENBLAS_NUM_THREADS=1
RADMIX=$(realpath "${RADMIX:-$here/../../build/${MODE:-release}/radmix}")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1

if ! Rscript -e 'library(GSVA)' > /dev/null 2>&1; then
  skip 'GSVA on random matrices' 'R package GSVA is not installed'
  finish
fi

python=
for candidate in python3 /usr/bin/python3; do
  "$candidate" -c 'import h5py, numpy' 2> /dev/null && python=$candidate && break
done
[ -n "$python" ] || { skip 'GSVA on random matrices' 'python3 has no h5py'; finish; }

# Largest difference of factors.h5ad and a table of R; NaN where GSVA has no row. turn: up to the sign.
cat > compare.py <<'PYTHON'
import csv, sys
import h5py
import numpy as np
file = h5py.File(sys.argv[1])
x = file["X"][:]
names = lambda frame: [s.decode() for s in file[frame]["_index"][:]]
patients, sets = names("obs"), names("var")
rows = list(csv.reader(open(sys.argv[2]), delimiter="\t"))
worst = 0.0
for row in rows[1:]:
    expected = np.array([float(v) for v in row[1:]])
    found = np.array([x[patients.index(p), sets.index(row[0])] for p in rows[0][1:]])
    scale = max(1.0, float(np.nanmax(np.abs(expected))))
    # with one extreme only, equal ones may be taken on either side; GSVA's own sums round differently
    off = np.abs(expected - found) / scale
    if sys.argv[3] == "tie":
        off = np.minimum(off, np.abs(np.abs(expected) - np.abs(found)) / scale)
    if sys.argv[3] == "turn":
        off = min(off.max(), (np.abs(expected + found) / scale).max())
    worst = max(worst, float(np.max(off)))
absent = [s for s in sets if s not in [r[0] for r in rows[1:]]]
assert all(np.isnan(x[:, sets.index(s)]).all() for s in absent), absent
print("%.2g" % worst)
sys.exit(not worst < 1e-10)
PYTHON

# same NAME MODE SETTINGS...: one variant on 3 ranks.
same() {
  local name=$1 mode=$2 found
  shift 2
  rm -rf out
  radmix_on 3 factors -q -s study.directory=out -s genomics.genes=none -s genomics.gene_sets=sets.gmt \
    -s genomics.expression=expr.tsv "$@"
  found=$("$python" compare.py out/factors.h5ad "$name.tsv" "$mode" 2>&1)
  ok $? "seed $seed, $name: largest difference $(echo "$found" | tail -n 1)"
}

for seed in $(seq 1 "${1:-4}"); do
  rm -f ./*.tsv
  Rscript "$here/gsva.R" "$seed" . > /dev/null 2>&1 || { ok 1 "seed $seed: R"; continue; }
  same gsva plain
  same mx_diff tie -s genomics.mx_diff=no
  same abs_ranking plain -s genomics.abs_ranking=yes
  same tau plain -s genomics.tau=0.5
  same none plain -s genomics.kernel=none
  same poisson plain -s genomics.expression=counts.tsv -s genomics.unit=count -s genomics.min_samples=0 \
    -s genomics.kernel=poisson
  same sizes plain -s genomics.min_size=3 -s genomics.max_size=20
  same ssgsea plain -s genomics.pathway_method=ssgsea
  same ssgsea_plain plain -s genomics.pathway_method=ssgsea -s genomics.ssgsea_norm=no
  same zscore plain -s genomics.pathway_method=zscore
  same plage turn -s genomics.pathway_method=plage
done
finish
