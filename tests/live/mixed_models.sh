#!/usr/bin/env bash
# radmix associate against nlme, lme4, lmerTest and pbkrtest on random slices. Output: TAP.
#
#     tests/live/mixed_models.sh [SEEDS]         RADMIX=build/release/radmix by default
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/tap.sh
source "$here/../tap.sh"
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OPENBLAS_NUM_THREADS=1
RADMIX=$(realpath "${RADMIX:-$here/../../build/${MODE:-release}/radmix}")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1

for package in nlme lme4 lmerTest pbkrtest; do
  if ! Rscript -e "library($package)" > /dev/null 2>&1; then
    skip 'mixed models on random slices' "R package $package is not installed"
    finish
  fi
done
python=
for candidate in python3 /usr/bin/python3; do
  "$candidate" -c 'import h5py, numpy' 2> /dev/null && python=$candidate && break
done
[ -n "$python" ] || { skip 'mixed models on random slices' 'python3 has no h5py'; finish; }

# Largest relative differences from a table of R. lme4 and nlme find lambda to 1e-6 or so, and all that
# depends on it; at lambda = 0 lmerTest takes other df (README: boundary).
cat > compare.py <<'PYTHON'
import csv, sys
import h5py
names = lambda f, frame: [s.decode() for s in f[frame]["_index"][:]]
f = h5py.File("out/associations.h5ad")
features, factors = names(f, "obs"), names(f, "var")
method = sys.argv[2]
# nlme's own optimiser stops early: 5e-5 where the likelihood is curved, less where it is flat
limits = dict(beta=1e-5, se=1e-5, df=1e-3, p=1e-3) if method != "containment" else dict(beta=2e-3, se=2e-3, df=0, p=1e-2)
columns = {"containment": "nlme_", "satterthwaite": "", "kenward-roger": "kr_"}
worst, n = {}, 0
for row in csv.DictReader(open(sys.argv[1]), delimiter="\t"):
    i, j = features.index(row["feature"]), factors.index(row["factor"])
    at = lambda name: float(f["layers/" + name][i, j])
    first = columns[method]
    if row["nlme_beta"] == "NA" and method == "containment":
        continue
    wanted = {"beta": row[("nlme_" if method == "containment" else "") + "beta"], "se": row[first + "se"]}
    if at("variance_ratio") > 0:
        name = "satt_" if method == "satterthwaite" else first
        wanted.update(df=row[name + "df"], p=row[name + "p"])
    found = {"beta": at("beta"), "se": at("se"), "df": at("df"), "p": 10 ** at("log10_p")}
    n += 1
    for key, value in wanted.items():
        worst[key] = max(worst.get(key, 0), abs(found[key] - float(value)) / abs(float(value)))
print(n, "pairs,", ", ".join("%s %.1g" % pair for pair in worst.items()))
sys.exit(not n or any(off > limits[key] for key, off in worst.items()))
PYTHON

# same SLICES METHOD RANKS SETTINGS...: one table against R.
same() {
  local table=$1 method=$2 ranks=$3
  shift 3
  radmix_on "$ranks" associate -q --force -s study.directory=out -s association.features="$table.tsv" \
    -s association.min_patients=1 -s association.df="$method" "$@"
  found=$("$python" compare.py "expected-$table.tsv" "$method" 2>&1)
  ok $? "seed $seed, $table, $method: $(echo "$found" | tail -n 1)"
}

for seed in $(seq 1 "${1:-2}"); do
  rm -rf out ./*.tsv
  Rscript "$here/mixed_models.R" "$seed" . > r.txt 2>&1 || { ok 1 "seed $seed: R: $(tail -n 1 r.txt)"; continue; }
  radmix_on 1 factors -q -s study.directory=out -s genomics.genes=none -s genomics.table=factors.tsv
  image=(-s study.clinical=clinical.tsv -s association.covariates=age -s "association.image_covariates=z,sequence,site")
  for method in containment satterthwaite kenward-roger; do
    same plain $method 1
    same slices $method 3 "${image[@]}"
  done
  # the same slices as features.h5ad gives them
  "$python" - <<'PYTHON'
import csv
import h5py
import numpy as np
rows = list(csv.DictReader(open("slices.tsv"), delimiter="\t"))
f = h5py.File("out/features.h5ad", "w")
def encode(x, kind, version):
    x.attrs["encoding-type"], x.attrs["encoding-version"] = kind, version
def texts(group, name, values):
    encode(group.create_dataset(name, data=np.array(values, dtype=object), dtype=h5py.string_dtype()), "string-array", "0.2.0")
def frame(name, index, columns):
    group = f.create_group(name)
    encode(group, "dataframe", "0.2.0")
    group.attrs["_index"] = "_index"
    group.attrs.create("column-order", np.array(columns or [], dtype=object), dtype=h5py.string_dtype())
    texts(group, "_index", index)
    for column in columns:
        values = [row[column] for row in rows]
        if column == "z":
            encode(group.create_dataset("z", data=np.array(values, dtype=float)), "array", "0.2.0")
        else:
            texts(group, column, values)
encode(f, "anndata", "0.1.0")
features = ["y%d" % k for k in range(1, 6)]
frame("obs", [row["image"] for row in rows], ["patient", "z", "sequence", "site"])
frame("var", features, [])
encode(f.create_dataset("X", data=np.array([[float(row[k]) for k in features] for row in rows])), "array", "0.2.0")
PYTHON
  radmix_on 2 associate -q --force -s study.directory=out -s association.min_patients=1 \
    -s association.df=kenward-roger "${image[@]}"
  found=$("$python" compare.py expected-slices.tsv kenward-roger 2>&1)
  ok $? "seed $seed, slices of features.h5ad: $(echo "$found" | tail -n 1)"
done
finish
