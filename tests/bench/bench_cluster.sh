#!/usr/bin/env bash
# make bench-cluster: clustering against LAPACKE and R (scikit-learn where there is no Rtsne).
#
# SIZE (4096) features; RANKS (2). Absolute times depend on the machine; the ratios are the figures.
# The exact t-SNE of others takes minutes: it runs through fewer iterations, and is scaled.
set -eu
build=$1
size=${SIZE:-4096} ranks=${RANKS:-2}
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OPENBLAS_NUM_THREADS=1
export OMP_NUM_THREADS=1 OMPI_MCA_btl_base_warn_component_unused=0
on() {
  local n=$1
  shift
  mpirun -q --oversubscribe -n "$n" "$build/tests/bench/bench_cluster" "$@"
}

echo "# Gram matrix, $size columns, one rank"
on 1 gram "$size"
echo "# eigenproblem, $size columns, 1 and $ranks ranks"
on 1 eigen "$size"
on "$ranks" eigen "$size"
echo "# trees of $size points, one rank"
on 1 ward "$size"
echo "# t-SNE of $size points, 1 and $ranks ranks"
on 1 tsne "$size"
on "$ranks" tsne "$size"

if command -v Rscript > /dev/null; then
  echo "# R: the same sizes, one thread"
  Rscript --vanilla - "$size" << 'END'
size <- as.integer(commandArgs(TRUE)[1]); set.seed(1)
say <- function(what, t, scale = 1) cat(sprintf("%-44s %8.3f s wall %8.3f s processor\n", what, t[3] * scale, (t[1] + t[2]) * scale))
x <- matrix(runif(size * 110), size)
say("R dist", system.time(d <- dist(x)))
say("R hclust ward.D2", system.time(hclust(d, "ward.D2")))
if (requireNamespace("fastcluster", quietly = TRUE)) say("R fastcluster ward.D2", system.time(fastcluster::hclust(d, "ward.D2")))
if (requireNamespace("Rtsne", quietly = TRUE)) {
  none <- system.time(Rtsne::Rtsne(x, theta = 0, pca = FALSE, max_iter = 1, num_threads = 1))
  some <- system.time(Rtsne::Rtsne(x, theta = 0, pca = FALSE, max_iter = 21, num_threads = 1))
  say("R Rtsne theta = 0, 1,000 iterations", none + (some - none) * 50) }
y <- matrix(runif(size * size), size)
say("R prcomp", system.time(prcomp(y)))
END
fi
has_rtsne='quit(status = !requireNamespace("Rtsne", quietly = TRUE))'
! command -v Rscript > /dev/null || ! Rscript --vanilla -e "$has_rtsne" || exit 0
for python in python3 /usr/bin/python3; do
  "$python" -c 'import sklearn' 2> /dev/null || continue
  echo "# scikit-learn: exact t-SNE"
  "$python" - "$size" << 'END'
import sys, time, warnings
import numpy as np
from sklearn.manifold import TSNE
warnings.filterwarnings("ignore")
x = np.random.default_rng(1).random((int(sys.argv[1]), 110))
def run(n):
    wall, processor = time.time(), time.process_time()
    TSNE(method="exact", init="random", learning_rate="auto", n_iter=n, random_state=1).fit_transform(x)
    return np.array([time.time() - wall, time.process_time() - processor])
base = run(250)
print("%-44s %8.3f s wall %8.3f s processor" % ("scikit-learn exact, 1,000 iterations (4 x 250)", *(4 * base)))
END
  break
done
