"""Files of a study that are damaged, or made elsewhere and wrong: .h5ad, model.h5, fold files."""
import os
import shutil

import h5py
import numpy

STAGES = {
    "train": {"needs": ["images.h5ad"], "autoencoder.epochs": 1},
    "encode": {"needs": ["images.h5ad", "model.h5"]},
    "associate": {"needs": ["patients.h5ad", "factors.h5ad"], "association.min_patients": 2, "association.top": 10},
    "cluster": {"needs": ["features.h5ad", "patients.h5ad"], "clustering.pca": 4, "clustering.perplexity": 2, "clustering.iterations": 5},
    "predict": {"needs": ["features.h5ad"], "prediction.outcomes": "ER", "prediction.level": "patient", "prediction.folds": 2,
                "prediction.inner_folds": 2, "prediction.lambdas": 5, "prediction.bootstrap": 0},
    "top": {"needs": ["associations.h5ad"]},
}
TEXT = h5py.string_dtype()


class Study:
    def __init__(self, campaign, folder):
        self.c, self.folder = campaign, folder
        self.clinical = os.path.join(os.path.abspath(folder), "clinical.tsv")

    def case(self, name, stage, codes, words, spoil=None, content=None, file=None, **more):
        """A stage in a folder of its own: `file` of it becomes content, or is changed by spoil(h5py.File)."""
        folder = self.c.path(f"study/{name}/x")[:-2]
        os.makedirs(folder, exist_ok=True)
        settings = {"study.directory": folder}
        settings.update({key: value for key, value in STAGES[stage].items() if key != "needs"})
        if stage == "predict":
            settings["study.clinical"] = self.clinical
        settings.update({key.replace("__", "."): value for key, value in more.items()})
        for need in STAGES[stage]["needs"]:
            target = os.path.join(folder, need)
            if need != file:
                os.link(os.path.join(self.folder, need), target)
            elif content is not None:
                with open(target, "wb") as out:
                    out.write(content)
            elif spoil:
                shutil.copyfile(os.path.join(self.folder, need), target)
                with h5py.File(target, "r+") as h5:
                    spoil(h5)
        self.c.case(f"{stage}: {name}", stage, codes, words, settings)

    def bytes(self, file):
        with open(os.path.join(self.folder, file), "rb") as source:
            return source.read()


def damaged(s, stage, file):
    """Cut, overwritten, and with single bytes changed."""
    whole = s.bytes(file)
    short = file.split(".")[0]

    def case(what, codes, words, content):
        s.case(f"{stage}-{short}-{what}", stage, codes, words, content=content, file=file)

    case("empty", 65, "expected an HDF5 file", b"")
    case("text", 65, "expected an HDF5 file", b"patient\tage\nP1\t50\n")
    for part in (8, 100, len(whole) // 2, len(whole) - 1):
        case(f"cut-at-{part if part < 101 else '-1' if part == len(whole) - 1 else 'half'}", 65, "expected an HDF5 file", whole[:part])
    case("signature", 65, "expected an HDF5 file", b"X" + whole[1:])
    for i in range(5):
        at = 96 + i * (len(whole) - 100) // 5
        case(f"byte-{i}", "0|65", "", whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1:])
    for i in range(2):
        at = 512 + i * len(whole) // 2
        case(f"block-{i}", "0|65", "", whole[:at] + bytes(256) + whole[at + 256:])
    s.case(f"{stage}-{short}-absent", stage, 66, file, file=file)


def replace(name, **array):
    def spoil(h5):
        del h5[name]
        if array:
            h5.create_dataset(name, **array)
    return spoil


def group(name):
    def spoil(h5):
        del h5[name]
        h5.create_group(name)
    return spoil


def texts(n, word="x"):
    return numpy.array([f"{word}{i}" for i in range(n)], dtype=object)


def order(frame, names):
    def spoil(h5):
        h5[frame].attrs.create("column-order", numpy.array(names, dtype=object), dtype=TEXT)
    return spoil


def shapes(s, stage, file):
    """The parts that an annotated matrix must have, absent or of another kind."""
    with h5py.File(os.path.join(s.folder, file), "r") as h5:
        n_obs, n_var = h5["X"].shape
    short = file.split(".")[0]

    def case(what, codes, words, spoil):
        s.case(f"{stage}-{short}-{what}", stage, codes, words, spoil, file=file)

    case("no-obs", 65, "/obs: expected a dataframe", replace("obs"))
    case("no-var", 65, "/var: expected a dataframe", replace("var"))
    case("obs-is-an-array", 65, "/obs: expected a dataframe", replace("obs", data=numpy.zeros(3)))
    case("no-index", 65, "/obs/_index: expected texts", replace("obs/_index"))
    case("index-of-numbers", 65, "/obs/_index: expected texts", replace("obs/_index", data=numpy.arange(n_obs)))
    case("index-of-fixed-texts", "0|65", "", replace("obs/_index", data=numpy.array([f"P{i}".encode() for i in range(n_obs)])))
    case("index-longer", 65, "expected", replace("obs/_index", data=texts(n_obs + 5), dtype=TEXT))
    case("var-shorter", "65", "", replace("var/_index", data=texts(n_var - 3), dtype=TEXT))
    case("order-of-an-absent-column", 65, "expected a column", order("obs", ["nosuch"]))
    case("order-of-a-path", "0|65", "", order("obs", ["../var/_index"]))
    case("order-of-numbers", 65, "column order", lambda h5: h5["obs"].attrs.create("column-order", numpy.arange(3)))
    case("no-X", 65, "/X: expected", replace("X"))
    case("X-is-a-group", 65, "/X", group("X"))
    case("X-of-texts", 65, "/X", replace("X", data=texts(n_obs * n_var).reshape(n_obs, n_var), dtype=TEXT))
    case("X-of-one-dimension", 65, "/X", replace("X", data=numpy.zeros(n_obs * n_var)))
    case("X-of-three", 65, "/X", replace("X", data=numpy.zeros((n_obs, n_var, 2))))
    case("X-scalar", 65, "/X", replace("X", data=1.0))
    case("X-short-of-a-row", 65, "/X", replace("X", data=numpy.zeros((n_obs - 1, n_var))))
    case("X-turned", 65, "/X", replace("X", data=numpy.zeros((n_var, n_obs))))
    case("X-claims-2-to-the-62", 65, "/X", replace("X", shape=(1 << 31, 1 << 31), chunks=(1024, 1024), dtype="f4"))
    case("index-claims-2-to-the-36", 65, "/obs/_index: expected texts", replace("obs/_index", shape=(1 << 36,), chunks=(1024,), dtype=TEXT))
    case("index-claims-2-to-the-26", 65, "/obs/_index: expected texts", replace("obs/_index", shape=(1 << 26,), chunks=(1024,), dtype=TEXT))
    case("names-that-are-commands", "0|65", "", replace("obs/_index", data=texts(n_obs, "../$(touch hit)`id`%n<script>"), dtype=TEXT))
    case("X-elsewhere", 65, "/X", lambda h5: elsewhere(h5, os.path.join(os.path.abspath(s.folder), file)))
    case("X-in-another-file", 65, "/X", outside)
    case("X-a-view-of-another-file", 65, "/X", lambda h5: virtual(h5, os.path.join(os.path.abspath(s.folder), file)))


def elsewhere(h5, path):
    del h5["X"]
    h5["X"] = h5py.ExternalLink(path, "/X")


def outside(h5):
    shape = h5["X"].shape
    del h5["X"]
    h5.create_dataset("X", shape=shape, dtype="f4", external=[("/etc/passwd", 0, h5py.h5f.UNLIMITED)])


def virtual(h5, path):
    shape = h5["X"].shape
    del h5["X"]
    layout = h5py.VirtualLayout(shape=shape, dtype="f4")
    layout[:] = h5py.VirtualSource(path, "X", shape=shape)
    h5.create_virtual_dataset("X", layout)


def fill(name, value):
    def spoil(h5):
        h5[name][...] = value
    return spoil


def set_one(name, value):
    def spoil(h5):
        h5[name][0] = value
    return spoil


def contents(s):
    """What stands in the right places and is wrong."""
    nan, inf = float("nan"), float("inf")

    def case(name, stage, codes, words, file, spoil, **more):
        s.case(name, stage, codes, words, spoil, file=file, **more)

    case("train-no-patient", "train", 65, "column of texts named patient", "images.h5ad",
         lambda h5: (replace("obs/patient")(h5), order("obs", [])(h5)))
    case("train-patient-of-numbers", "train", 65, "column of texts named patient", "images.h5ad",
         lambda h5: replace("obs/patient", data=numpy.arange(len(h5["obs/slice"])))(h5))
    case("train-patient-short", "train", 65, "", "images.h5ad", replace("obs/patient", data=texts(3), dtype=TEXT))
    case("train-all-black", "train", "0|65", "", "images.h5ad", fill("X", 0))
    case("train-nan", "train", 65, "expected pixels from 0 to 1, found nan", "images.h5ad", fill("X", nan))
    case("train-huge", "train", 65, "expected pixels from 0 to 1, found 1e+30", "images.h5ad", fill("X", 1e30))
    case("train-split-word", "train", 65, "obs/split: expected train or validate, found 'test0'", "images.h5ad",
         lambda h5: (h5["obs"].create_dataset("split", data=texts(len(h5["obs/slice"]), "test"), dtype=TEXT),
                     order("obs", ["patient", "split"])(h5)))
    for key in ("levels", "channels", "size"):
        for value, word in ((-1, "minus-1"), (0, "0"), (3, "3"), (1 << 40, "2-to-the-40")):
            case(f"encode-{key}-{word}", "encode", 65, "", "model.h5", fill(f"network/{key}", value))
        case(f"encode-{key}-nan", "encode", 65, "", "model.h5", replace(f"network/{key}", data=nan))
        case(f"encode-{key}-infinite", "encode", 65, "", "model.h5", replace(f"network/{key}", data=inf))
        case(f"encode-no-{key}", "encode", 65, f"/network/{key}", "model.h5", replace(f"network/{key}"))
        case(f"encode-{key}-a-text", "encode", 65, f"/network/{key}", "model.h5", replace(f"network/{key}", data="two", dtype=TEXT))
    case("encode-no-weights", "encode", 65, "/weights/best", "model.h5", replace("weights/best"))
    case("encode-no-network", "encode", 65, "/network/levels", "model.h5", replace("network"))
    case("encode-weight-shape", "encode", 65, "/weights/best", "model.h5", first_weight(lambda a: a[..., :-1]))
    case("encode-weight-in-one-dimension", "encode", 0, "", "model.h5", first_weight(lambda a: a.reshape(-1)))
    case("encode-weight-claims", "encode", 65, "", "model.h5",
         lambda h5: replace(f"weights/best/{sorted(h5['weights/best'])[0]}", shape=(1 << 30, 1 << 20), chunks=(1024, 64), dtype="f4")(h5))
    case("encode-weight-nan", "encode", "0|65", "", "model.h5", first_weight(lambda a: a * nan))
    case("encode-other-size", "encode", 65, "expected a network for 16 x 16 pixels", "model.h5", fill("network/size", 64))
    case("associate-n-images-0", "associate", 65, "/obs/n_images: expected a number of slices", "patients.h5ad", fill("obs/n_images", 0))
    case("associate-n-images-negative", "associate", 65, "/obs/n_images", "patients.h5ad", fill("obs/n_images", -4))
    case("associate-n-images-nan", "associate", 65, "/obs/n_images", "patients.h5ad",
         lambda h5: replace("obs/n_images", data=numpy.full(len(h5["obs/_index"]), nan))(h5))
    case("associate-within-shape", "associate", 65, "within_ss", "patients.h5ad", replace("layers/within_ss", data=numpy.zeros((2, 2))))
    case("associate-no-within", "associate", "0|65", "", "patients.h5ad", replace("layers/within_ss"))
    case("associate-within-negative", "associate", "0|65", "", "patients.h5ad", fill("layers/within_ss", -1))
    case("associate-features-nan", "associate", 0, "", "patients.h5ad", fill("X", nan))
    case("associate-features-infinite", "associate", 0, "", "patients.h5ad", fill("X", inf))
    case("associate-features-equal", "associate", 0, "", "patients.h5ad", fill("X", 5))
    case("associate-factors-nan", "associate", "0|65", "", "factors.h5ad", fill("X", nan))
    case("associate-factors-infinite", "associate", "0|65", "", "factors.h5ad", fill("X", inf))
    case("associate-offset-1e12", "associate", 0, "", "patients.h5ad", lambda h5: fill("X", h5["X"][...] + 1e12)(h5))
    case("associate-denormal", "associate", 0, "", "patients.h5ad", lambda h5: fill("X", h5["X"][...] * 1e-310)(h5))
    case("associate-1e300", "associate", "0|65", "", "patients.h5ad", lambda h5: fill("X", h5["X"][...] * 1e300)(h5))
    case("associate-no-patient-in-common", "associate", 65, "expected patients with features, factors", "factors.h5ad",
         lambda h5: replace("obs/_index", data=texts(len(h5["obs/_index"]), "Q"), dtype=TEXT)(h5))
    case("associate-patient-twice", "associate", 65, "", "patients.h5ad",
         lambda h5: replace("obs/_index", data=texts(len(h5["obs/_index"]), "P")[[0] * len(h5["obs/_index"])], dtype=TEXT)(h5))
    for key, words in (("covariates", "association.covariates: expected a column of"), ("blocks", "association.blocks: expected a column of")):
        s.case(f"associate-{key}", "associate", 78, words, study__clinical=s.clinical, association__permutations=3,
               **{f"association__{key}": "nosuch"})
    s.case("associate-subset", "associate", 78, "study.subset", study__clinical=s.clinical, study__subset="nosuch=1")
    s.case("associate-clinical-absent", "associate", 66, "none.tsv", study__clinical=s.folder + "/none.tsv", association__covariates="age")
    case("cluster-nan", "cluster", 65, "expected features with finite values", "patients.h5ad", fill("X", nan))
    case("cluster-equal", "cluster", "0|65", "", "features.h5ad", fill("X", 1))
    case("cluster-n-images", "cluster", 65, "slices of patient", "patients.h5ad", fill("obs/n_images", 99))
    case("cluster-other-features", "cluster", 65, "expected feature 1 to be", "patients.h5ad",
         lambda h5: replace("var/_index", data=texts(len(h5["var/_index"])), dtype=TEXT)(h5))
    case("predict-nan", "predict", "0|65", "", "features.h5ad", fill("X", nan))
    case("predict-equal", "predict", "0|65", "", "features.h5ad", fill("X", 1))
    case("predict-1e38", "predict", "0|65", "", "features.h5ad", lambda h5: fill("X", h5["X"][...] * 3e38)(h5))
    case("top-no-status", "top", "0|65", "", "associations.h5ad", replace("layers/status"))
    case("top-no-q", "top", 65, "q_hierarchical", "associations.h5ad", replace("layers/q_hierarchical"))
    case("top-nan", "top", "0|65", "", "associations.h5ad", fill("X", nan))


def first_weight(change):
    def spoil(h5):
        name = "weights/best/" + sorted(h5["weights/best"])[0]
        data = change(h5[name][...])
        del h5[name]
        h5[name] = data
    return spoil


def folds_and_outcomes(s):
    def folds(name, codes, words, text):
        s.case(f"predict-folds-{name}", "predict", codes, words, prediction__fold_file=s.c.file(f"folds/{name}.tsv", text))

    head = "patient\trepeat\tfold\n"
    names = [f"SIM-{i:04d}" for i in range(1, 13)]
    good = "".join(f"{name}\t1\t{1 + i % 2}\n" for i, name in enumerate(names))
    folds("good", 0, "", head + good)
    folds("nothing", 65, "nothing.tsv:1", "")
    folds("no-column", 65, "expected a column 'fold', found none", "patient\trepeat\n" + "SIM-0001\t1\n")
    folds("a-word", 65, "in column fold, found 'two'", head + good.replace("\t2\n", "\ttwo\n", 1))
    for name, value in (("negative", "-1"), ("half", "1.5"), ("huge", "1e300"), ("nothing", ""), ("na", "NA")):
        folds(f"fold-{name}", 65, "in column fold", head + good.replace("\t2\n", f"\t{value}\n", 1))
    folds("many-repeats", "65|71", "", head + good.replace("\t1\t2\n", "\t2000000000\t2\n", 1))
    folds("many-folds", "0|65|71|78", "", head + good.replace("\t2\n", "\t2000000000\n", 1))
    folds("only-one", 65, "expected at least 2 folds", head + good.replace("\t2\n", "\t1\n"))
    folds("another", 65, "expected one fold of 'SIM-0001' in repeat 1, found another", head + good + "SIM-0001\t1\t2\n")
    folds("some-repeats", 65, "in all 2 repeats, found it in some", head + good + "SIM-0001\t2\t2\n")
    folds("nobody-known", 65, "expected patients of the study, found none of 12", head + good.replace("SIM", "XXX"))
    folds("ragged", 65, "expected 3 columns, found 2", head + "SIM-0001\t1\n")

    def clinical(name, codes, words, text, **more):
        s.case(f"predict-clinical-{name}", "predict", codes, words, study__clinical=s.c.file(f"clinical/{name}.tsv", text), **more)

    def rows(values):
        return "".join(f"{name}\t{value}\n" for name, value in zip(names, values))

    clinical("good", 0, "", "patient\tER\n" + rows([0, 1] * 6))
    clinical("no-outcome", 78, "prediction.outcomes: expected a column of", "patient\tPR\n" + rows([0, 1] * 6))
    clinical("three-values", 65, "expected two values for a binomial outcome", "patient\tER\n" + rows([0, 1, 2] * 4))
    clinical("three-words", 65, "expected two levels", "patient\tER\n" + rows(["a", "b", "c"] * 4))
    clinical("words-for-numbers", 65, "expected numbers, found text", "patient\tER\n" + rows(["a", "b"] * 6), prediction__family="gaussian")
    clinical("one-class", "0|65", "", "patient\tER\n" + rows([1] * 12))
    clinical("all-missing", "0|65", "", "patient\tER\n" + rows(["NA"] * 12))
    clinical("twice", 65, "expected one line for 'SIM-0001', found it on line 2 too", "patient\tER\n" + rows([0, 1] * 6) + "SIM-0001\t1\n")
    clinical("nobody", 65, "expected a name in column 'patient', found nothing", "patient\tER\n\t1\n")
    clinical("column-twice", 65, "expected a name of its own for column 3", "patient\tER\tER\nSIM-0001\t1\t1\n")
    clinical("strangers", 65, "expected at least 2 patients", "patient\tER\nX1\t1\nX2\t0\n")
    clinical("infinite", "0|65", "", "patient\tER\n" + rows([1, "inf"] * 6), prediction__family="gaussian")


def feature_tables(s):
    """A text table instead of the features, for associate and predict."""
    names = [f"SIM-{i:04d}" for i in range(1, 13)]

    def table(name, codes, words, text, ending=".tsv"):
        path = s.c.file(f"features/{name}{ending}", text)
        s.case(f"associate-table-{name}", "associate", "0|65" if name == "one-patient" else codes, words, association__features=path)
        s.case(f"predict-table-{name}", "predict", codes, words, prediction__features=path)

    head = "patient\tf1\tf2\n"
    good = "".join(f"{name}\t{i * i % 7}\t{i * 5 % 11}\n" for i, name in enumerate(names))
    table("good", 0, "", head + good)
    table("nothing", 65, "nothing.tsv:1: expected a line with the names", "")
    table("no-rows", 65, "expected", head)
    table("no-features", 65, "expected", "patient\n" + "".join(name + "\n" for name in names))
    table("a-word", 65, "a-word.tsv:3: f2: expected a number, found 'high'", head + good.replace("\t1\t5\n", "\t1\thigh\n"))
    table("nobody", 65, "nobody.tsv", head + good + "\t1\t2\n")
    table("column-twice", 65, "expected a name of its own for column 3", "patient\tf1\tf1\n" + good)
    table("all-equal", "0|65", "", head + "".join(f"{name}\t1\t1\n" for name in names))
    table("strangers", 65, "expected", head + good.replace("SIM", "XXX"))
    table("one-patient", 65, "", head + "SIM-0001\t1\t2\n")
    table("infinite", "0|65", "", head + good.replace("\t1\t5\n", "\tinf\t5\n"))
    table("1e12-tiny-variance", 0, "", head + "".join(f"{name}\t{1e12 + i * 1e-3!r}\t{1e12 + i % 3!r}\n" for i, name in enumerate(names)))
    table("denormal", 0, "", head + "".join(f"{name}\t{5e-324 * (i + 1)!r}\t{i % 4}\n" for i, name in enumerate(names)))
    table("names-that-are-commands", 0, "", "patient\t../$(touch hit)\t`id`%n<script>\n" + good)


def make(c, folder):
    s = Study(c, folder)
    for stage, file in (("train", "images.h5ad"), ("encode", "model.h5"), ("associate", "patients.h5ad"), ("associate", "factors.h5ad"),
                        ("cluster", "features.h5ad"), ("predict", "features.h5ad"), ("top", "associations.h5ad")):
        damaged(s, stage, file)
    for stage, file in (("train", "images.h5ad"), ("associate", "patients.h5ad"), ("associate", "factors.h5ad"),
                        ("cluster", "features.h5ad"), ("predict", "features.h5ad")):
        shapes(s, stage, file)
    contents(s)
    folds_and_outcomes(s)
    feature_tables(s)
