#!/usr/bin/env bash
# Options whose right answer follows from another run, or from a formula: gsva's curve, rank-normal
# scores, covariates of slices in a table of text, the likelihood ratio of one row a patient.
# shellcheck source=../tap.sh
source "$(dirname "$0")/../tap.sh"
python=/usr/bin/python3
if ! $python -c 'import h5py, numpy' 2> /dev/null; then
  skip "options that follow from others" "no h5py or numpy for $python"
  finish
fi

cat > make.py << 'END'
# 24 patients of 1 to 4 slices, 5 features that go along with a number of the slice; 3 factors; 40 genes.
import random
random.seed(5)
patients = ["P%02d" % i for i in range(24)]
factors = {p: [random.gauss(0, 1) for _ in range(3)] for p in patients}
slices = []
for p in patients:
    own = [random.gauss(0.4 * factors[p][0], 1) for _ in range(5)]
    slices += [(p, random.gauss(0, 1), [x + random.gauss(0, 1) for x in own]) for _ in range(random.randint(1, 4))]
def table(name, head, rows):
    with open(name, "w") as out:
        for row in [head] + rows:
            out.write("\t".join(x if isinstance(x, str) else "%.17g" % x for x in row) + "\n")
names = ["f%d" % i for i in range(5)]
table("factors.tsv", ["patient", "a", "b", "c"], [[p] + factors[p] for p in patients])
table("bent.tsv", ["patient", "a", "b", "c"], [[p] + [2.0 ** x for x in factors[p]] for p in patients])
table("slices.tsv", ["patient", "z"] + names, [[p, z] + f for p, z, f in slices])
table("tilted.tsv", ["patient", "z"] + names, [[p, z] + [x + 5 * z for x in f] for p, z, f in slices])
table("without.tsv", ["patient"] + names, [[p] + f for p, z, f in slices])
mean = {p: f for p, z, f in reversed(slices)}
table("one.tsv", ["patient"] + names, [[p] + mean[p] for p in patients])
table("cubed.tsv", ["patient"] + names, [[p] + [x ** 3 for x in mean[p]] for p in patients])
genes = ["g%02d" % i for i in range(40)]
table("expression.tsv", ["patient"] + genes, [[p] + [random.gauss(5, 2) for _ in genes] for p in patients])
open("sets.gmt", "w").write("FIRST\tnone\t" + "\t".join(genes[:12]) + "\nODD\tnone\t" + "\t".join(genes[1::2]) + "\n")
END
$python make.py

cat > same.py << 'END'
# same.py FOLDER FOLDER TOLERANCE [different]: the same p values, or not.
import sys, h5py, numpy
a, b = (h5py.File(f + "/associations.h5ad")["layers/log10_p"][:] for f in sys.argv[1:3])
off = numpy.max(numpy.abs(a - b) / numpy.maximum(1, numpy.abs(a)))
print("# largest difference %.2g" % off)
sys.exit(int((off <= float(sys.argv[3])) == (len(sys.argv) > 4)))
END

# associate_on FOLDER RANKS FACTORS FEATURES SETTING...
associate_on() {
  local folder=$1 ranks=$2 factors=$3 features=$4
  shift 4
  radmix_on 1 factors -q -s study.directory="$folder" -s genomics.table="$factors" &&
    radmix_on "$ranks" associate -q -s study.directory="$folder" -s association.features="$features" "$@"
}

normal=(-s association.factor_transform=rank-normal)
associate_on plain 1 factors.tsv without.tsv "${normal[@]}"
associate_on bent 2 bent.tsv without.tsv "${normal[@]}"
$python same.py plain bent 1e-12
ok $? "factors by rank are those of any increasing function of them"
both=(-s association.factor_transform=rank-normal -s association.transform=rank-normal)
associate_on one 1 factors.tsv one.tsv "${both[@]}"
associate_on cubed 2 factors.tsv cubed.tsv "${both[@]}"
$python same.py one cubed 1e-12
ok $? "features by rank too"

image=(-s association.image_covariates=z)
associate_on level 1 factors.tsv slices.tsv "${image[@]}"
associate_on tilted 2 factors.tsv tilted.tsv "${image[@]}"
# 5 z is added and taken out again: ten times the spread, so a digit is lost
$python same.py level tilted 1e-9
ok $? "what a covariate of slices explains does not count"
associate_on without 1 factors.tsv without.tsv
$python same.py level without 1e-3 different
ok $? "and it is taken into account"

associate_on ratio 2 factors.tsv one.tsv -s association.test=lrt
cat > ratio.py << 'END'
# -2 log ratio = -n log(1 - r^2), on 1 degree of freedom.
import csv, math, h5py, numpy
f = h5py.File("ratio/associations.h5ad")
read = lambda name: numpy.array([[float(x) for x in row[1:]] for row in list(csv.reader(open(name), delimiter="\t"))[1:]])
x, g = read("one.tsv"), read("factors.tsv")
worst = 0
for i in range(5):
    for j in range(3):
        r = numpy.corrcoef(x[:, i], g[:, j])[0, 1]
        chi = -len(x) * math.log1p(-r * r)
        worst = max(worst, abs(f["X"][i, j] - math.copysign(math.sqrt(chi), r)),
                    abs(f["layers/log10_p"][i, j] - math.log10(math.erfc(math.sqrt(chi / 2)))))
print("# largest difference %.2g" % worst)
assert worst < 1e-10
END
$python ratio.py
ok $? "the likelihood ratio of one row a patient is that of the correlation"

# Patients of one slice far apart, those of many close together: the profile of REML has two minima.
cat > minima.py << 'END'
# minima.py make: the tables. minima.py check: every variance ratio is the lowest of all minima.
import sys, h5py, numpy
random = numpy.random.default_rng(3)
n = numpy.array([1, 1, 1, 2, 2, 40, 40, 200, 200, 200, 40, 3])
factors = random.normal(size=(12, 4))
means = random.normal(size=(12, 40)) * numpy.where(n > 10, 0.005, 1)[:, None] * random.choice([1, 2, 3], 40)
spread = random.choice([0.5, 1, 2], 40) # of slices around the mean of their patient
if sys.argv[1] == "make":
    with open("many.tsv", "w") as out:
        out.write("patient\t" + "\t".join("f%d" % f for f in range(40)) + "\n")
        for i in range(12):
            away = numpy.where(numpy.arange(n[i]) % 2, 1.0, -1.0) * (numpy.arange(n[i]) < n[i] // 2 * 2)
            for a in away:
                out.write("P%02d\t" % i + "\t".join("%.17g" % x for x in means[i] + a * spread) + "\n")
    with open("four.tsv", "w") as out:
        out.write("patient\ta\tb\tc\td\n")
        for i in range(12):
            out.write("P%02d\t" % i + "\t".join("%.17g" % x for x in factors[i]) + "\n")
    sys.exit()
def deviance(ratio, f, j):
    # twice the negative profiled REML log likelihood, but for what does not depend on the ratio
    x, v = numpy.column_stack([numpy.ones(12), factors[:, j]]), ratio + 1 / n
    a = x.T @ (x / v[:, None])
    r = means[:, f] - x @ numpy.linalg.solve(a, x.T @ (means[:, f] / v))
    within = numpy.sum(n // 2 * 2) * spread[f] ** 2
    return (n.sum() - 2) * numpy.log(within + numpy.sum(r * r / v)) + numpy.sum(numpy.log(v)) + numpy.linalg.slogdet(a)[1]
found = h5py.File("minima/associations.h5ad")["layers/variance_ratio"][:]
grid = numpy.concatenate([[0], numpy.exp(numpy.linspace(numpy.log(1e-6), numpy.log(1e5), 600))])
several = later = 0
for f in range(40):
    for j in range(4):
        d = numpy.array([deviance(x, f, j) for x in grid])
        low = [k for k in range(len(d)) if (k == 0 or d[k] < d[k - 1]) and (k + 1 == len(d) or d[k] <= d[k + 1])]
        several += len(low) > 1
        later += len(low) > 1 and low.index(int(numpy.argmin(d))) > 0
        assert deviance(found[f, j], f, j) <= d.min() + 1e-9, (f, j, found[f, j], grid[d.argmin()])
print("# of 160 fits %d have several minima, %d the lowest at the larger ratio" % (several, later))
assert several > 20 and 0 < later < several
END
$python minima.py make
associate_on minima 2 four.tsv many.tsv
$python minima.py check
ok $? "of several minima of REML the lowest is found"

pathways=(-s genomics.expression=expression.tsv -s genomics.gene_sets=sets.gmt -s genomics.genes=)
radmix_on 2 factors -q -s study.directory=sets "${pathways[@]}"
radmix_on 3 factors --curve=ODD,P07 -q -s study.directory=sets "${pathways[@]}"
cat > curve.py << 'END'
# The walk ends at 0; its highest and lowest points add up to the score.
import csv, h5py
f = h5py.File("sets/factors.h5ad")
obs, var = ([n.decode() for n in f[k + "/_index"][:]] for k in ("obs", "var"))
score = f["X"][obs.index("P07"), [i for i, n in enumerate(var) if n.endswith("ODD")][0]]
rows = list(csv.DictReader(open("out.txt"), delimiter="\t"))
height = [float(r["height"]) for r in rows]
assert len(rows) == 40 and sorted(r["gene"] for r in rows if r["in_set"] == "1") == ["g%02d" % i for i in range(1, 40, 2)]
assert abs(height[-1]) < 1e-12 and abs(max(0, max(height)) + min(0, min(height)) - score) < 1e-12, (height[-1], score)
END
$python curve.py
ok $? "gsva's walk ends at 0, and its extremes add up to the score"
refuses 65 "expected a set that is scored, found 'NONE'" 1 factors --curve=NONE,P07 -q -s study.directory=sets "${pathways[@]}"
refuses 65 "expected a patient of the expression table, found 'P99'" 2 factors --curve=ODD,P99 -q -s study.directory=sets "${pathways[@]}"
refuses 64 "expected --curve=SET,PATIENT" 1 factors --curve=ODD -q -s study.directory=sets "${pathways[@]}"
finish
