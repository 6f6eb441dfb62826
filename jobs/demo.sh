#!/usr/bin/env bash
# The whole flow on a simulated cohort: demo.sh PATH-OF-RADMIX
# Results go to demo/, as inputs/demo.ini says; progress is on the screen.
set -eu
cd "$(dirname "$0")/.."
radmix=$1
out=demo
ranks=$(nproc)
[ "$ranks" -gt 8 ] && ranks=8
export OPENBLAS_NUM_THREADS=1
if [ "$(id -u)" = 0 ]; then export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1; fi

go() {
  echo "+ mpirun -n $ranks $radmix $*"
  mpirun -q --oversubscribe -n "$ranks" "$radmix" "$@"
}

begin=$SECONDS
go simulate inputs/demo.ini
go run inputs/demo.ini

echo
echo "The ten best genes, by their Simes p over all features, and what is true of them:"
mpirun -q -n 1 "$radmix" top inputs/demo.ini --factors --kind=gene --n=10 |
  awk -F '\t' 'NR == FNR {if (!($1 in role)) {role[$1] = $2; property[$1] = $3} next}
    FNR == 1 {printf "  %-10s %13s %10s %6s  %s\n", "gene", "log10 p", "q", "hits", "truth"; next}
    {printf "  %-10s %13.2f %10.2g %6d  %s\n", $1, $3, $4, $6,
       $1 in role ? role[$1] ": " property[$1] : "nothing planted"}' "$out/simulated/truth.tsv" -
echo
echo "Done in $((SECONDS - begin)) s. The results are in $out/:"
(cd "$out" && for file in *.h5ad *.h5 *.tsv report/index.html; do
  if [ -e "$file" ]; then printf '  %-22s %8s\n' "$file" "$(du -h "$file" | cut -f1)"; fi
done)
echo "Python: anndata.read_h5ad('$out/associations.h5ad'); R: rhdf5::h5read('$out/associations.h5ad', 'X')"
