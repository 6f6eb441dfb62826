#!/usr/bin/env bash
# The whole flow on a simulated cohort: demo.sh PATH-OF-RADMIX
# Results go to demo/ (or $DEMO); progress is on the screen.
set -eu
cd "$(dirname "$0")/.."
radmix=$1
out=${DEMO:-demo}
ranks=$(nproc)
[ "$ranks" -gt 8 ] && ranks=8
export OPENBLAS_NUM_THREADS=1
if [ "$(id -u)" = 0 ]; then export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1; fi

go() {
  echo "+ mpirun -n $ranks $radmix $*"
  mpirun -q --oversubscribe -n "$ranks" "$radmix" "$@" -s study.directory="$out"
}

begin=$SECONDS
go simulate inputs/demo.ini --force
go run inputs/demo.ini --force -s images.manifest="$out/simulated/images.tsv" \
  -s genomics.expression="$out/simulated/expression.tsv" -s genomics.gene_sets="$out/simulated/genesets.gmt" \
  -s study.clinical="$out/simulated/clinical.tsv"

echo
echo "The ten best genes, by their Simes p over all features, and what is true of them:"
mpirun -q --oversubscribe -n 1 "$radmix" top inputs/demo.ini -s study.directory="$out" --genes --n=10 \
  --truth="$out/simulated/truth.tsv"
echo
echo "Done in $((SECONDS - begin)) s. The results are in $out/:"
(cd "$out" && for file in *.h5ad *.h5 *.tsv report/index.html; do
  if [ -e "$file" ]; then printf '  %-22s %8s\n' "$file" "$(du -h "$file" | cut -f1)"; fi
done)
echo "Python: anndata.read_h5ad('$out/associations.h5ad'); R: rhdf5::h5read('$out/associations.h5ad', 'X')"
