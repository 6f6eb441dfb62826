#!/usr/bin/env bash
# Associations against R's numbers, through the command line: exact REML on several slices a patient
# (with and without covariates, and however the features are scaled), and one row a patient.
# shellcheck source=../tap.sh
source "$(dirname "$0")/../tap.sh"
lmm="$RADMIX_SHARED/reference/lmm"
data="$RADMIX_SHARED/data/tcga-brca"
python=/usr/bin/python3

if [ ! -d "$lmm" ] || ! $python -c 'import h5py' 2> /dev/null; then
  skip "associations against R" "no $lmm, or no h5py for $python"
  finish
fi

cat > variants.py << 'END'
# Tables for the runs: factors, clinical columns, and the features scaled, shifted, alone, reordered.
import csv, sys
rows = list(csv.DictReader(open(sys.argv[1] + "/A_unbalanced_patients.csv")))
for name, columns in (("factors", ["gf1", "gf2", "gf3"]), ("clinical", ["age", "race"])):
    out = csv.writer(open(name + ".csv", "w"))
    out.writerow(["patient"] + columns)
    out.writerows([r["patient"]] + [r[c] for c in columns] for r in rows)
images = list(csv.DictReader(open(sys.argv[1] + "/A_unbalanced_images.csv")))
features = [c for c in images[0] if c not in ("patient", "image")]
# + 1e6 leaves ten digits after the point of a double: only features of spread about 1 can be asked
wide = [f for f in features if f not in ("f_tiny", "f_zero")]
def write(name, rows, columns, value):
    out = csv.writer(open(name + ".csv", "w"))
    out.writerow(["patient", "image"] + columns)
    out.writerows([r["patient"], r["image"]] + ["%.17g" % value(float(r[c])) for c in columns] for r in rows)
write("times1000", images, features, lambda x: 1e3 * x)
write("plus1e6", images, wide, lambda x: x + 1e6)
write("alone", images, ["f_relu"], lambda x: x)
write("reordered", images[::-1], features, lambda x: x)
END
$python variants.py "$lmm"

cat > compare.py << 'END'
# compare.py FOLDER COVSET SCALE TOLERANCE: the layers against the ref_ columns.
import csv, sys, h5py
folder, covset, scale, tolerance = sys.argv[1], sys.argv[2], float(sys.argv[3]), float(sys.argv[4])
f = h5py.File(folder + "/associations.h5ad")
obs = [x.decode() for x in f["obs/_index"][:]]
var = [x.decode() for x in f["var/_index"][:]]
names = [x.decode() for x in f["uns/status"][:]]
columns = (("beta", "ref_beta", scale), ("se", "ref_se", scale), ("df", "ref_df_containment", 1),
           ("log10_p", "ref_log10p_containment", 1), ("variance_ratio", "ref_lambda", 1), ("X", "ref_t", 1))
n = worst = 0
for r in csv.DictReader(open(sys.argv[5])):
    if r["covset"] != covset or r["feature"] not in obs:
        continue
    i, j = obs.index(r["feature"]), var.index(r["gf"])
    status = names[f["layers/status"][i, j]]
    expected = "boundary" if r["status"] == "ok" and float(r["ref_lambda"]) == 0 else r["status"]
    assert status == expected, (r["feature"], r["gf"], status, expected)
    if r["status"] != "ok":
        continue
    for layer, column, factor in columns:
        value = f["X" if layer == "X" else "layers/" + layer][i, j]
        wanted = float(r[column]) * factor
        # near 0 beta and t have no digits of their own: they are known to a part of se, and of 1
        unit = max(abs(wanted), {"beta": float(r["ref_se"]) * factor, "X": 1}.get(layer, 1e-300))
        # adding 1e6 rounds the data themselves at 1e-10, and log10 p near 0 moves as t does
        if folder == "shifted" and layer == "log10_p":
            unit = max(unit, 1)
        error = abs(value - wanted) / unit if wanted else abs(value)
        worst = max(worst, error)
        assert error <= tolerance, (r["feature"], r["gf"], layer, value, wanted)
        n += 1
assert n > 0
print("# %d numbers, largest error %.2g" % (n, worst))
END

# associate_on FOLDER FEATURES COVARIATES
associate_on() {
  radmix_on 1 factors -q -s study.directory="$1" -s genomics.table=factors.csv &&
    radmix_on 1 associate -q -s study.directory="$1" -s association.features="$2" \
      -s study.clinical=clinical.csv -s association.covariates="$3"
}

# Rounding: lambda is found to 1e-10 and better; 1e-9 is what is asked of all of them.
check() {
  associate_on "$1" "$2" "$3"
  $python compare.py "$1" "$4" "$5" 1e-9 "$lmm/A_unbalanced_reference.csv"
  ok $? "$6"
}
check none "$lmm/A_unbalanced_images.csv" "" none 1 "REML equals R's exact fits"
check both "$lmm/A_unbalanced_images.csv" age,race age_race 1 "and with covariates, one of them text"
check scaled times1000.csv age,race age_race 1000 "features times 1,000 give the same"
check shifted plus1e6.csv "" none 1 "features plus 1e6 give the same"
check alone alone.csv "" none 1 "a feature alone gives the same"
check reordered reordered.csv age,race age_race 1 "patients in another order give the same"

if [ -d "$data" ]; then
  radmix_on 2 factors -q -s study.directory=crf -s genomics.expression="$data/genes260_log2tpm.tsv"
  radmix_on 2 associate -q -s study.directory=crf -s association.features="$data/crf36.tsv" \
    -s study.clinical="$data/clinical.tsv"
  ok "$code" "features without any image"
  cat > hits.py << 'END'
import h5py, numpy
f = h5py.File("crf/associations.h5ad")
q, everywhere, tree = (f["layers/" + k][:] < 0.05 for k in ("q_factor", "q_all", "q_hierarchical"))
print(q.sum(), q.any(0).sum(), everywhere.sum(), tree.sum(), tree.any(0).sum())
assert (f["layers/status"][:] == 3).all()
numpy.savetxt("p.txt", f["layers/log10_p"][:], "%.17g")
shares = f["uns/variance_explained"]
with open("shares.txt", "w") as out:
    for name, share in zip(shares["_index"][:], shares["share"][:]):
        out.write("%s\t%.17g\n" % (name.decode(), share))
for part in ("obs", "var"):
    open(part + ".txt", "w").write("\n".join(n.decode() for n in f[part + "/_index"][:]) + "\n")
END
  numbers=$($python hits.py)
  # the design's count of this cohort; another one in its place is asked for R's p values alone
  if [ "$(wc -l < "$data/crf36.tsv")" = 92 ]; then
    [ "$numbers" = "248 77 65 58 25" ]
    ok $? "248 hits in 77 genes, 65 over the grid, 58 in 25 genes hierarchically ($numbers)"
  fi
  if command -v Rscript > /dev/null; then
    cat > lm.R << 'END'
a <- commandArgs(TRUE)
crf <- read.delim(a[1], row.names = 1, check.names = FALSE)
genes <- read.delim(a[2], row.names = 1, check.names = FALSE)
both <- intersect(rownames(crf), rownames(genes))
p <- as.matrix(read.table("p.txt"))
obs <- readLines("obs.txt"); var <- readLines("var.txt")
worst <- 0
for (j in seq(1, length(var), by = 13)) for (i in seq_along(obs)) {
  s <- summary(lm(crf[both, obs[i]] ~ genes[both, var[j]]))$coefficients
  wanted <- (log(2) + pt(-abs(s[2, 3]), length(both) - 2, log.p = TRUE)) / log(10)
  worst <- max(worst, abs(p[i, j] - wanted) / abs(wanted))
}
cat("# largest relative error of log10 p", worst, "\n")
clinical <- read.delim(a[3], row.names = 1, check.names = FALSE)
z <- scale(crf[both, obs])
shares <- read.delim("shares.txt", header = FALSE, row.names = 1)
clinical$site <- substr(rownames(clinical), 6, 7)
stopifnot(nrow(shares) > 3)
for (name in rownames(shares)) {
  x <- clinical[both, name]
  m <- lm(z[!is.na(x), ] ~ x[!is.na(x)])
  share <- 1 - sum(residuals(m)^2) / sum(scale(z[!is.na(x), ], scale = FALSE)^2)
  stopifnot(abs(shares[name, 1] - share) < 1e-9)
}
cat("# shares of variance of", rownames(shares), "\n")
# lm works with QR on unscaled columns; 1e-9 is what two right computations keep
stopifnot(worst < 1e-9)
END
    Rscript lm.R "$data/crf36.tsv" "$data/genes260_log2tpm.tsv" "$data/clinical.tsv" > lm.txt 2>&1
    good=$?
    grep '^#' lm.txt
    ok $good "p of one row a patient equals R's lm, so do shares of variance"
  else
    skip "p of one row a patient equals R's lm" "no Rscript"
  fi
else
  skip "features without any image" "no $data"
fi
finish
