#!/usr/bin/env bash
# Planted groups of patients are found from simulated MR volumes; pictures have the same bits on any
# number of ranks, and anndata reads the file.
# shellcheck source=../tap.sh
source "$(dirname "$0")/../tap.sh"
TAP_LIMIT=250

settings=(-s study.clinical=out/simulated/clinical.tsv -s images.manifest=out/simulated/images.tsv
  -s simulation.patients=18 -s simulation.images_per_patient=6 -s simulation.groups=3
  -s simulation.genes=20 -s simulation.links=2 -s simulation.sets=0 -s autoencoder.epochs=2
  -s clustering.clusters=3 -s clustering.kmeans=3 -s clustering.iterations=20)

for stage in simulate slice train encode; do
  radmix_on 2 "$stage" -s study.directory=out "${settings[@]}" -q
  [ "$code" = 0 ] || sed 's/^/# /' err.txt
done
ok "$code" "a cohort of three groups is simulated and encoded"
for ranks in 2 1 3 7; do
  mkdir -p r$ranks
  ln -f out/features.h5ad out/patients.h5ad r$ranks
  radmix_on $ranks cluster -s study.directory=r$ranks "${settings[@]}" -v
  [ "$code" = 0 ] || sed 's/^/# /' err.txt
  different=$code
  for name in obs X obsm/X_tsne varm/X_tsne uns/patient_clusters uns/feature_clusters; do
    h5diff r2/clusters.h5ad r$ranks/clusters.h5ad "/$name" > diff.txt 2>&1 || different=1
    [ -s diff.txt ] && different=1 && sed "s|^|# $name: |" diff.txt | head -n 3
  done
  for name in obsm/X_pca obsm/X_pca_slices varm/PCs uns/slice_scores; do
    h5diff -d 1e-9 r2/clusters.h5ad r$ranks/clusters.h5ad "/$name" > diff.txt 2>&1 || different=1
    [ -s diff.txt ] && different=1 && sed "s|^|# $name: |" diff.txt | head -n 3
  done
  [ $ranks = 2 ] && cp err.txt log.txt && continue
  ok "$different" "$ranks ranks give the trees and the pictures of 2"
done
grep -qE 'patients by group: fisher p [0-9.e-]+, q [0-9.e-]+, Rand (1.00|0.[89])' log.txt
found=$?
ok $found "the groups are found: adjusted Rand above 0.8"
[ $found = 0 ] || grep group log.txt | sed 's/^/# /'

if /usr/bin/python3 -c 'import anndata' 2> /dev/null; then
  /usr/bin/python3 -W ignore - r2/clusters.h5ad << 'END'
import sys, anndata, numpy as np
a = anndata.read_h5ad(sys.argv[1])
z = a.uns["patient_clusters"]["linkage"]
ok = a.obsm["X_tsne"].shape == (18, 2) and a.varm["X_tsne"].shape == (a.n_vars, 2)
ok &= set(a.obs["cluster"].astype(str)) == {"1", "2", "3"} and z.shape == (17, 4) and z[-1, 3] == 18
ok &= np.allclose(a.uns["pca"]["variance_ratio"].sum(), 1) and a.uns["tests"].loc["group", "p"] < 1e-4
sys.exit(0 if ok else 1)
END
  ok $? "anndata reads clusters, pictures, linkages and tests"
else
  skip "anndata reads clusters, pictures, linkages and tests" "no anndata"
fi
finish
