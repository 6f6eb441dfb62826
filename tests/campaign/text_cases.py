"""Tables, gene sets, signatures, gene lists and decks that are wrong."""
import gzip
import os

EXPRESSION = "gene\tP1\tP2\tP3\nA\t1\t2\t4\nB\t3\t1\t2\nC\t5\t6\t4\n"
CLINICAL = "patient\tage\tER\nP1\t50\t1\nP2\t60\t0\nP3\t70\t1\n"


def factors(c, name, codes, words, **settings):
    paths = {}
    for key, value in settings.items():
        if isinstance(value, tuple):  # (ending, content): a file
            ending, content = value
            value = c.file(f"factors/{name}{ending}", content)
        paths[f"genomics.{key}"] = value
    c.case(f"factors: {name}", "factors", codes, words, paths)


def expression(c, name, codes, words, text, ending=".tsv", **more):
    factors(c, name, codes, words, expression=(ending, text), **more)


def tables(c):
    expression(c, "good", 0, "", EXPRESSION)
    expression(c, "nothing", 65, "nothing.tsv", "")
    expression(c, "blank-lines", 65, "blank-lines.tsv", "\n\n\n")
    expression(c, "no-rows", 65, "expected patients and columns of numbers", "gene\tP1\tP2\n")
    expression(c, "one-column", 65, "expected patients and columns of numbers", "gene\nA\nB\n")
    expression(c, "too-few", 65, "too-few.tsv:3: expected 4 columns, found 3", EXPRESSION.replace("B\t3\t1\t2", "B\t3\t1"))
    expression(c, "too-many", 65, "too-many.tsv:4: expected 4 columns, found 5", EXPRESSION.replace("5\t6\t4", "5\t6\t4\t9"))
    expression(c, "header-of-R", 65, "expected 3 columns, found 4", EXPRESSION.replace("gene\t", ""))
    for name, word in (("a-word", "many"), ("infinite", "inf"), ("hexadecimal", "0x1F"), ("two-numbers", "1 2"),
                       ("comma", "1,5"), ("beyond-double", "1e999"), ("format", "%n%s"), ("half-a-number", "1e")):
        expression(c, name, 65, f"{name}.tsv:4: P3: expected a finite number, found '{word}'", EXPRESSION.replace("6\t4", f"6\t{word}"))
    expression(c, "long-word", 65, "long-word.tsv:4: P3: expected a finite number", EXPRESSION.replace("6\t4", "6\t" + "9x" * 20000))
    expression(c, "long-number", 0, "", EXPRESSION.replace("6\t4", "6\t0." + "3" * 5000))
    expression(c, "missing-gene", 65, "missing-gene.tsv:3: expected a value of 'B'", EXPRESSION.replace("3\t1\t2", "NA\t\tNaN"))
    expression(c, "negative-count", 65, "expected a count of 0 or more of 'B' in 'P2', found -1", EXPRESSION.replace("3\t1\t2", "3\t-1\t2"), unit="count")
    expression(c, "no-counts", 65, "expected counts above 0 in 'P2'", "gene\tP1\tP2\nA\t1\t0\nB\t3\t0\n", unit="count")
    expression(c, "patient-twice", 65, "expected patient 'P1' once", EXPRESSION.replace("P2", "P1"))
    expression(c, "patient-nameless", 65, "expected the name of a patient", EXPRESSION.replace("P2", ""))
    expression(c, "gene-nameless", 65, "gene-nameless.tsv:3: expected a name for column 2", EXPRESSION.replace("\nB", "\n"))
    expression(c, "no-side", 65, "genomics.patients = rows or columns settles it", EXPRESSION.replace("gene", "x"))
    expression(c, "no-tumour", 65, "expected primary tumour samples", "gene\tTCGA-A1-0001-11A\nA\t1\nB\t2\n")
    expression(c, "zero-byte", 65, "found a zero byte", EXPRESSION.replace("B", "B\0"))
    expression(c, "open-quote", 65, "open-quote.csv:4: expected a closing quote", EXPRESSION.replace("\t", ",").replace("\nC", '\n"C'), ending=".csv")
    expression(c, "after-a-quote", 65, "expected a separator after a quote", EXPRESSION.replace("\t", ",").replace("\nC", '\n"C"x'), ending=".csv")
    expression(c, "quotes", 0, "", EXPRESSION.replace("\t", ",").replace("A,", '"A ""x"", y",'), ending=".csv")
    expression(c, "byte-order-mark", 0, "", "\ufeff" + EXPRESSION)
    expression(c, "windows", 0, "", EXPRESSION.replace("\n", "\r\n"))
    expression(c, "old-mac", 65, "", EXPRESSION.replace("\n", "\r"))
    expression(c, "no-last-end-of-line", 0, "", EXPRESSION.rstrip())
    expression(c, "not-utf8", "0|65", "", EXPRESSION.encode().replace(b"B", b"\xff\xfe\x80"))
    expression(c, "utf16", 65, "zero byte", EXPRESSION.encode("utf-16"))
    expression(c, "genes-that-are-commands", 0, "", EXPRESSION.replace("\nB", "\n../../$(touch hit)`id`%n%s<script>alert(1)</script>"))
    expression(c, "long-gene", "0|65", "", EXPRESSION.replace("\nB", "\n" + "B" * 5000))
    expression(c, "one-patient", "0|65", "", "gene\tP1\nA\t1\nB\t3\n", gene_sets=(".gmt", "S\tna\tA\tB\n"))
    expression(c, "tiny-variance", 0, "", "gene\tP1\tP2\tP3\nA\t1e12\t1000000000000.0001\t1e12\nB\t3\t1\t2\n", gene_sets=(".gmt", "S\tna\tA\tB\n"))
    expression(c, "denormal", 65, "expected two genes or more that have all patients and vary", "gene\tP1\tP2\tP3\nA\t1e-310\t2e-310\t5e-324\nB\t3\t1\t2\n", gene_sets=(".gmt", "S\tna\tA\tB\n"))
    expression(c, "largest-double", "0|65", "", "gene\tP1\tP2\tP3\nA\t1.7e308\t-1.7e308\t1.7e308\nB\t3\t1\t2\n", gene_sets=(".gmt", "S\tna\tA\tB\n"))
    whole = gzip.compress((EXPRESSION * 1).encode(), mtime=0)
    for name, content in (("cut", whole[:40]), ("no-end", whole[:-8]), ("checksum", whole[:-8] + b"\0\0\0\0" + whole[-4:]),
                          ("damaged", whole[:20] + b"\xff" + whole[21:])):
        expression(c, f"gzip-{name}", 65, "damaged or cut", content, ending=".tsv.gz")
    expression(c, "gzip-good", 0, "", whole, ending=".tsv.gz")
    expression(c, "gzip-bomb", "65|71", "", gzip.compress(b"gene\tP1\n" + b"A" * (4 << 20), mtime=0), ending=".tsv.gz")
    factors(c, "absent", 66, "none.tsv", expression=c.folder + "/none.tsv")
    factors(c, "a-folder", 65, "found a folder", expression=c.folder)
    factors(c, "nothing-asked", 78, "expected genomics.expression or genomics.table")
    factors(c, "a-device", 65, "found a pipe or a device", expression="/dev/zero")
    for key, text in (("id_map", "id\nA\n"), ("id_map", ""), ("id_map", "id\tsymbol\nA\n")):
        name = f"id-map-{len(text)}"
        factors(c, name, 65, name, expression=(".tsv", EXPRESSION), id_map=("-map.tsv", text))
    factors(c, "id-map-twice", 0, "", expression=(".tsv", EXPRESSION), id_map=("-map.tsv", "id\tsymbol\nA\tX\nA\tY\nB\tX\n"))
    for name, text, words in (("no-gene", "id\tlength\nA\t9\n", "expected a column gene"), ("none", "gene\tbases\nA\t9\n", "expected a column length"),
                              ("zero", "gene\tlength\nA\t0\nB\t5\nC\t5\n", "expected a length above 0 for 'A', found 0"),
                              ("word", "gene\tlength\nA\tlong\n", "expected a number, found 'long'"),
                              ("negative", "gene\tlength\nA\t-5\n", "expected a length above 0")):
        factors(c, f"lengths-{name}", 65, words, expression=(".tsv", EXPRESSION), unit="count", gene_lengths=("-lengths.tsv", text),
                min_cpm=0, min_samples=0)
    factors(c, "table-with-its-gene", 65, "found table 'A', which is a gene of", expression=(".tsv", EXPRESSION),
            table=("-table.tsv", "patient\tA\tQ\nP1\t1\t2\nP2\t2\t3\n"))
    factors(c, "table-text", 65, "expected a finite number, found 'high'", table=("-table.tsv", "patient\tQ\nP1\t1\nP2\thigh\n"))
    factors(c, "table-absent", 66, "none.tsv", table=c.folder + "/none.tsv")


def gene_lists(c):
    def genes(name, codes, words, text):
        factors(c, f"genes-{name}", codes, words, expression=(".tsv", EXPRESSION), genes=("-list.txt", text))

    genes("two-words", 65, "expected one gene, found 'A B'", "A B\n")
    genes("twice", 65, "expected each gene once, found 'A' again", "A\nB\nA\n")
    genes("zero-byte", 65, "found a zero byte", "A\0\n")
    genes("nothing", 65, "expected a gene, set, signature or table, found none", "# none\n")
    genes("unknown", "0|65", "", "NOSUCHGENE\n")
    genes("good", 0, "", "# two\nA\n\nC\n")
    factors(c, "genes-absent", 66, "none.txt", expression=(".tsv", EXPRESSION), genes=c.folder + "/none.txt")


def gene_sets(c):
    def sets(name, codes, words, text, ending=".gmt"):
        factors(c, f"gmt-{name}", codes, words, expression=(".tsv", EXPRESSION), gene_sets=(ending, text))

    sets("good", 0, "", "S\tna\tA\tB\nT\tna\tC\n")
    sets("nothing", 65, "expected gene sets, found none", "")
    sets("comments-only", 65, "expected gene sets, found none", "# a\n\n")
    sets("no-genes", 65, ":2: expected a set, a description and its genes", "S\tna\tA\nT\tna\n")
    sets("no-description", 65, ":1: expected a set, a description and its genes", "S\n")
    sets("set-twice", 65, ":3: expected each set once, found 'S' on line 1 too", "S\tna\tA\nT\tna\tB\nS\tna\tC\n")
    sets("gene-twice", 65, ":1: expected each gene once in set 'S', found 'A' again", "S\tna\tA\tB\tA\n")
    sets("nameless", 65, ":2: expected the name of a set, found none", "S\tna\tA\n\tna\tA\n")
    sets("zero-byte", 65, "found a zero byte", "S\tna\tA\0B\n")
    sets("like-a-gene", 65, "which is a gene of", "A\tna\tA\tB\n")
    sets("windows", 0, "", "S\tna\tA\tB\r\nT\tna\tA\tC\r\n")
    sets("unknown-genes", 0, "", "S\tna\tX\tY\n")
    sets("long-line", 0, "", "S\tna\t" + "\t".join(f"G{i}" for i in range(20000)) + "\tA\n")
    sets("names-that-are-commands", 0, "", "../$(touch hit)`id`%n<script>\tna\tA\tB\n")
    sets("binary", 65, "", bytes(range(1, 256)) * 4)
    sets("gzip-cut", 65, "damaged or cut", gzip.compress(b"S\tna\tA\tB\n", mtime=0)[:-5], ending=".gmt.gz")
    factors(c, "gmt-absent", 66, "none.gmt", expression=(".tsv", EXPRESSION), gene_sets=c.folder + "/none.gmt")
    factors(c, "gmt-a-folder", 65, "found a folder", expression=(".tsv", EXPRESSION), gene_sets=c.folder)
    factors(c, "gmt-flat", 65, "", expression=(".tsv", "gene\tP1\tP2\nA\t1\t1\nB\t2\t2\n"), gene_sets=(".gmt", "S\tna\tA\tB\n"))
    factors(c, "gmt-poisson-of-logs", 78, "expected genomics.unit = count", expression=(".tsv", EXPRESSION),
            gene_sets=(".gmt", "S\tna\tA\n"), kernel="poisson")


SIGNATURE = """signature test
citation Somebody 2020
genes up
  symbol entrez weight
  A 1 1
  B 2 -0.5
end
steps
  mean x = up weight
  clip x 0 10
end
score x
"""


def signatures(c):
    def signature(name, codes, words, text):
        factors(c, f"sig-{name}", codes, words, expression=(".tsv", EXPRESSION), signatures=(".sig", text))

    def change(name, words, old, new):
        assert old in SIGNATURE, old
        signature(name, 65, words, SIGNATURE.replace(old, new))

    signature("good", 0, "", SIGNATURE)
    signature("nothing", 65, "expected the statements signature and citation", "")
    change("no-name", "found no signature", "signature test\n", "")
    change("no-citation", "found no citation", "citation Somebody 2020\n", "")
    change("no-score", "expected the statement 'score NAME', found none", "score x\n", "")
    change("unknown-statement", "expected a statement of a signature, found 'colour'", "genes up", "colour blue\ngenes up")
    change("unknown-need", "expected all or centred, found 'some'", "genes up", "needs some\ngenes up")
    change("falling-cuts", "expected rising cuts", "genes up", "risk 2 1\ngenes up")
    change("cuts-of-words", "expected a number as word 2, found 'low'", "genes up", "risk low\ngenes up")
    change("many-cuts", "cuts", "genes up", "risk " + " ".join(str(i) for i in range(40)) + "\ngenes up")
    change("no-columns", "expected the columns symbol and entrez first", "  symbol entrez weight\n", "  weight symbol\n")
    change("short-row", "expected 3 words, one a column of up, found 2", "B 2 -0.5", "B 2")
    change("weight-word", "expected a number as word 3, found 'heavy'", "-0.5", "heavy")
    change("gene-twice", "expected each row of up once, found 'B' again", "B 2", "B 1")
    change("gene-of-neither", "expected a symbol or an Entrez id, found neither", "B 2", "- -")
    signature("no-rows", 65, "expected rows in up, found none", SIGNATURE.replace("  A 1 1\n  B 2 -0.5\n", ""))
    signature("table-open", 65, "", SIGNATURE.replace("end\nsteps", "steps"))
    signature("steps-open", 65, "expected 'end' of the steps, found the end of the file", SIGNATURE.split("end\nscore")[0])
    change("unknown-step", "expected a step such as mean or rescale, found 'guess'", "  clip x 0 10", "  guess x")
    change("unknown-table", "expected a table of genes, found 'down'", "= up weight", "= down weight")
    change("unknown-column", "expected a column of up, found 'mass'", "up weight", "up mass")
    change("score-before", "expected a", "  clip x 0 10", "  clip y 0 10")
    change("score-unknown", "expected a score that is made before, found 'z'", "score x\n", "score z\n")
    change("name-again", "expected a name of its own, found 'x' again", "  clip x 0 10", "  sum x = up weight")
    change("clip-words", "", "  clip x 0 10", "  clip x low 10")
    change("clip-turned", "", "  clip x 0 10", "  clip x")
    change("quantile-large", "expected a quantile of 0 .. 0.5, found 3", "  clip x 0 10", "  rescale x quantile 3 0 10")
    change("rescale-word", "expected 'range' or 'quantile'", "  clip x 0 10", "  rescale x by 0 10")
    change("combine-empty", "", "  clip x 0 10", "  combine y =")
    change("combine-signs", "expected + or - before", "  clip x 0 10", "  combine y = x x")
    change("table-twice", "expected a name of its own for a table", "steps\n", "genes up\n symbol entrez\n A 1\nend\nsteps\n")
    change("many-words", "expected at most", "  clip x 0 10", "  combine y = " + " ".join(["x +"] * 3000) + " x")
    change("posterior-nothing", "", "  clip x 0 10", "  posterior p = none row of x")
    signature("zero-byte", 65, "found a zero byte", SIGNATURE.replace("A 1", "A\0 1"))
    signature("windows", 0, "", SIGNATURE.replace("\n", "\r\n"))
    signature("name-that-is-a-command", "0|65", "", SIGNATURE.replace("signature test", "signature ../$(touch%20hit)%n<script>"))
    factors(c, "sig-absent", 66, "nosuch.sig", expression=(".tsv", EXPRESSION), signatures="nosuch")
    os.makedirs(c.path("factors/none-here"), exist_ok=True)
    factors(c, "sig-empty-folder", 66, "expected signatures", expression=(".tsv", EXPRESSION), signatures=c.folder + "/factors/none-here")


def decks(c):
    def deck(name, codes, words, text):
        path = c.file(f"decks/{name}.ini", text)
        c.case(f"deck: {name}", "deck", codes, words, {"deck": path})

    deck("good", 0, "", "[study]\nseed = 3\n; a comment\n# another\n[images]\nsize = 32\n")
    deck("empty", 0, "", "")
    deck("byte-order-mark", 0, "", "\ufeff[study]\nseed = 3\n")
    deck("windows", 0, "", "[study]\r\nseed = 3\r\n")
    deck("unknown-key", 78, "unknown-key.ini:2: study.sed: no such setting", "[study]\nsed = 1\n")
    deck("unknown-section", 78, "unknown-section.ini:1: [studies]: no such section", "[studies]\nseed = 1\n")
    deck("open-section", 78, ":1: expected [section], found '[study'", "[study\nseed = 1\n")
    deck("no-section", 78, ":1: expected a [section] before 'seed'", "seed = 1\n")
    deck("no-equals", 78, ":2: expected key = value, found 'seed 1'", "[study]\nseed 1\n")
    deck("twice", 78, ":3: study.seed: given twice", "[study]\nseed = 1\nseed = 2\n")
    deck("twice-in-two-sections", 78, ":5: study.seed: given twice", "[study]\nseed = 1\n[images]\n[study]\nseed = 2\n")
    for name, value in (("word", "one"), ("real", "1.5"), ("negative", "-1"), ("large", "2147483648"), ("huge", "1e99"),
                        ("nothing", ""), ("two", "1 2"), ("hexadecimal", "0x10"), ("nan", "nan"), ("inf", "inf")):
        deck(f"int-{name}", 78, ":2: study.seed: expected", f"[study]\nseed = {value}\n")
    for name, value in (("word", "small"), ("nan", "nan"), ("inf", "inf"), ("beyond", "1.5"), ("half", "0.1e"), ("nothing", "")):
        deck(f"real-{name}", 78, ":2: autoencoder.noise: expected", f"[autoencoder]\nnoise = {value}\n")
    deck("flag", 78, ":2: images.drop_empty: expected yes or no, found 'maybe'", "[images]\ndrop_empty = maybe\n")
    deck("choice", 78, ":2: images.resample: expected one of area,cubic, found 'nearest'", "[images]\nresample = nearest\n")
    deck("choice-part", 78, ":2: images.resample: expected", "[images]\nresample = are\n")
    deck("choice-bar", 78, ":2: images.resample: expected", "[images]\nresample = area|cubic\n")
    deck("long-value", 78, ":2: study.subset: expected fewer than 1023 characters", "[study]\nsubset = " + "x" * 5000 + "\n")
    deck("long-path", 78, ":2:", "[study]\nclinical = " + "x" * 1015 + "\n")
    deck("long-list", 78, ":2:", "[genomics]\ntable = " + ",".join("a/b" for _ in range(250)) + "\n")
    deck("long-section", 78, "expected [section]", "[" + "s" * 5000 + "]\n")
    deck("long-key", 78, "no such setting", "[study]\n" + "k" * 5000 + " = 1\n")
    deck("format", 78, "%n%s%n", "[study]\n%n%s%n = 1\n")
    deck("zero-byte", "0|78", "", "[study]\nseed = 1\0 2\n")
    deck("binary", 78, "", bytes(range(1, 256)))
    c.case("deck: a folder", "deck", 66, "", {"deck": c.folder})
    c.case("deck: not there", "deck", 66, "none.ini", {"deck": c.folder + "/none.ini"})


def make(c):
    tables(c)
    gene_lists(c)
    gene_sets(c)
    signatures(c)
    decks(c)
