"""Volumes and manifests that are wrong, for `radmix slice`. The bad volume is the last, so that on
three ranks the last rank has it."""
import os
import struct

from campaign import Volume

NAN, INF = float("nan"), float("inf")


def slice_case(c, name, codes, words, file, **more):
    manifest = c.file(f"slice/{name}.tsv", f"patient\tpath\nP1\tgood1.nii\nP2\tgood2.nii\nP3\t{file}\n")
    settings = {"images.manifest": manifest, "images.size": 16}
    settings.update({f"images.{key}": value for key, value in more.items()})
    c.case(f"slice: {name}", "slice", codes, words, settings)


def volume(c, name, words, spoiled, codes=65, ending=".nii", **more):
    content = spoiled.gzip() if ending.endswith(".gz") else spoiled.bytes()
    c.file(f"slice/{name}{ending}", content)
    slice_case(c, name, codes, words, name + ending, **more)


def raw(c, name, words, content, codes=65, ending=".nii", **more):
    c.file(f"slice/{name}{ending}", content)
    slice_case(c, name, codes, words, name + ending, **more)


def headers(c):
    for n in (0, 1, 3):
        volume(c, f"cut-at-{n}", f"not a NIfTI file: {n} bytes", Volume().cut(n))
    for n in (4, 100, 347):
        volume(c, f"cut-at-{n}", f"the header is cut: {n} bytes of 348", Volume().cut(n))
    for n in (348, 352, 1119):
        volume(c, f"cut-at-{n}", f"cut: {n} bytes, but its header asks for 1120", Volume().cut(n))
    for n in (0, 349, -1, 540):
        words = "no magic number" if n == 540 else "does not begin with 348 or 540"
        volume(c, f"header-size-{n}", words, Volume().put(0, "i", n))
    for name, magic in (("none", b"\0\0\0\0"), ("other", b"n+3\0"), ("half", b"n+")):
        words = "no magic number" if name != "half" else ""
        volume(c, f"magic-{name}", words, Volume().magic(magic), codes=65 if words else 0)
    volume(c, "magic-of-pair", "voxels are in another file", Volume().magic(b"ni1\0"))
    for n in (-1, 0, 1, 8, 32767):
        volume(c, f"dimensions-{n}", f"expected 2 to 4 dimensions, found {n}", Volume().dim(0, n))
    for axis in (1, 2, 3):
        for n in (0, -1, -32768):
            volume(c, f"dim{axis}-is-{n}", f"dimension {axis}: expected 1 to 32767 voxels, found {n}", Volume().dim(axis, n))
    volume(c, "dims-huge", "cut: 1120 bytes, but its header asks for 35181150962", Volume().dims(3, 32767, 32767, 32767, 1))
    volume(c, "dims-beyond-64-bits", "but its header asks for 9222246188486492520",
           Volume().dims(4, 32767, 32767, 32767, 32767).kind(64, 64))
    volume(c, "dims-39-GB", "but its header asks for", Volume().dims(3, 32767, 32767, 9, 1).kind(64, 64))
    volume(c, "four-dims-many", "but its header asks for", Volume().dims(4, 16, 16, 3, 32767))
    volume(c, "dim5-is-2", "found a dimension 5 of 2", Volume().dims(5, 16, 16, 3, 1, 2))
    volume(c, "dim7-is-2", "found a dimension 7 of 2", Volume().dims(7, 16, 16, 3, 1, 1, 1, 2))
    for kind, words in ((0, "unknown type of voxels (datatype 0)"), (1, "unknown type of voxels (datatype 1)"),
                        (32, "complex voxels"), (128, "a colour image"), (1536, "voxels of 128 bits"),
                        (1792, "complex voxels"), (2048, "complex voxels"), (2304, "a colour image"),
                        (9999, "unknown type of voxels (datatype 9999)"), (-2, "unknown type of voxels (datatype -2)")):
        volume(c, f"datatype-{kind}", words, Volume().kind(kind, 8))
    for bits in (0, 16, -8):
        volume(c, f"bitpix-{bits}", f"datatype 2 has 8 bits a voxel, but bitpix is {bits}", Volume().kind(2, bits))
    for name, value in (("0", 0), ("348", 348), ("negative", -1), ("nan", NAN), ("infinite", INF), ("half", 352.5),
                        ("1e30", 1e30)):
        volume(c, f"offset-{name}", "vox_offset: expected a whole number from 352", Volume().offset(value))
    volume(c, "offset-1-too-far", "cut: 1120 bytes, but its header asks for 1121", Volume().offset(353))
    volume(c, "offset-beyond-the-end", "but its header asks for 1000768", Volume().offset(1e6))
    for name, slope, intercept in (("slope-nan", NAN, 0), ("slope-inf", INF, 0), ("inter-nan", 1, NAN), ("inter-inf", 1, -INF)):
        volume(c, name, "scl_slope and scl_inter: expected numbers", Volume().scale(slope, intercept))


def versions_and_orders(c):
    volume(c, "big-endian", "", Volume(order=">"), codes=0)
    volume(c, "big-endian-dims", "dimension 2: expected 1 to 32767 voxels, found 0", Volume(order=">").dim(2, 0))
    volume(c, "nifti2", "", Volume(2), codes=0)
    volume(c, "nifti2-big-endian", "", Volume(2, ">"), codes=0)
    volume(c, "nifti2-cut", "the header is cut: 539 bytes of 540", Volume(2).cut(539))
    volume(c, "nifti2-as-text", "damaged by a transfer as text", Volume(2).magic(b"n+2\0\n\n\032\n"))
    volume(c, "nifti2-magic", "no magic number", Volume(2).magic(b"n+9\0"))
    volume(c, "nifti2-dim-2-to-the-40", "dimension 1: expected 1 to 32767 voxels", Volume(2).dim(1, 1 << 40))
    volume(c, "nifti2-dim-negative", "dimension 3: expected 1 to 32767 voxels", Volume(2).dim(3, -(1 << 62)))
    volume(c, "nifti2-offset-352", "vox_offset: expected a whole number from 544", Volume(2).offset(352))
    volume(c, "nifti2-offset-2-to-the-60", "vox_offset", Volume(2).offset(1 << 60))
    volume(c, "nifti2-offset-2-to-the-50", "but its header asks for", Volume(2).offset(1 << 50))
    volume(c, "nifti2-slope", "scl_slope and scl_inter", Volume(2).scale(NAN, 0))


def compressed(c):
    whole = Volume().gzip()
    volume(c, "gzip", "", Volume(), codes=0, ending=".nii.gz")
    raw(c, "gzip-named-nii", "", whole, codes=0)
    raw(c, "gzip-of-gzip", "not a NIfTI file", __import__("gzip").compress(whole, mtime=0), ending=".nii.gz")
    raw(c, "gzip-cut-in-its-header", "", whole[:9], ending=".nii.gz")
    raw(c, "gzip-cut-in-the-header", "", whole[:60], ending=".nii.gz")
    raw(c, "gzip-cut-in-the-voxels", "damaged or cut", whole[:250], ending=".nii.gz")
    raw(c, "gzip-without-its-end", "damaged or cut", whole[:-8], ending=".nii.gz")
    raw(c, "gzip-checksum", "damaged: its gzip data cannot be read", whole[:-8] + bytes([whole[-8] ^ 1]) + whole[-7:], ending=".nii.gz")
    middle = len(whole) - 40
    raw(c, "gzip-byte-changed", "damaged: its gzip data cannot be read", whole[:middle] + bytes([whole[middle] ^ 0x55]) + whole[middle + 1:], ending=".nii.gz")
    volume(c, "gzip-of-a-huge-claim", "of gzip cannot hold the", Volume().dims(3, 32767, 32767, 32767, 1), ending=".nii.gz")
    volume(c, "gzip-of-a-claim-of-300-MB", "of gzip cannot hold the", Volume().dims(4, 16, 16, 3, 32767).kind(64, 64), ending=".nii.gz")
    volume(c, "gzip-of-too-few", "damaged or cut", Volume().dim(3, 4), ending=".nii.gz")


def pairs(c):
    good = Volume(pair=True)
    c.file("slice/pair.img", good.data)
    raw(c, "pair", "", bytes(good.header), codes=0, ending=".hdr")
    raw(c, "header-alone", "beside it", bytes(good.header), codes=66, ending=".hdr")
    raw(c, "voxels-alone", "beside it", good.data, codes=66, ending=".img")
    c.file("slice/short.img", good.data[:100])
    raw(c, "short", "cut: 100 bytes, but its header asks for 768", bytes(good.header), ending=".hdr")
    c.file("slice/analyze.img", good.data)
    raw(c, "analyze", "an ANALYZE file", bytes(Volume(pair=True).magic(b"\0\0\0\0").header), ending=".hdr")
    c.file("slice/single.img", good.data)
    raw(c, "single", "voxels are in the same file", bytes(Volume().header), ending=".hdr")
    c.file("slice/before.img", good.data)
    raw(c, "before", "vox_offset: expected a whole number from 0", bytes(Volume(pair=True).offset(-1).header), ending=".hdr")


def voxels(c):
    floats = [1.0 + i % 7 for i in range(768)]
    for name, value in (("nan", NAN), ("inf", INF), ("minus-inf", -INF)):
        bad = floats[:]
        bad[767] = value
        data = struct.pack("<768f", *bad)
        volume(c, f"voxel-{name}", "voxel (15, 15, 2) is NaN or infinite, as 1 of 768", Volume().kind(16, 32).voxels(data))
        volume(c, f"voxel-{name}-zero", "", Volume().kind(16, 32).voxels(data), codes=0, nonfinite="zero")
    volume(c, "all-nan-zero", "", Volume().kind(16, 32).voxels(struct.pack("<768f", *[NAN] * 768)), codes=0, nonfinite="zero")
    volume(c, "scaled-beyond-float", "is NaN or infinite", Volume().scale(3e38, 0))
    volume(c, "double-beyond-float", "is NaN or infinite", Volume().kind(64, 64).voxels(struct.pack("<768d", *[1e300] * 768)))
    volume(c, "denormal", "", Volume().kind(16, 32).voxels(struct.pack("<768f", *[1e-41 * (1 + i % 9) for i in range(768)])), codes=0)
    volume(c, "all-equal", "", Volume().voxels(bytes([7] * 768)), codes=0)
    volume(c, "all-negative", "", Volume().kind(256, 8).voxels(bytes([200] * 768)), codes=0)
    volume(c, "largest-int64", "", Volume().kind(1024, 64).voxels(struct.pack("<768q", *[2**63 - 1] * 768)), codes=0)
    volume(c, "a-line-of-voxels", "expected slices of 2 x 2 pixels or more", Volume().dims(3, 768, 1, 1, 1))
    volume(c, "no-orientation", "use images.plane = acquired", Volume(), plane="axial")
    nan_form = Volume().put(252, "2h", 0, 1).put(280, "4f", NAN, 0, 0, 0)
    volume(c, "orientation-nan", "use images.plane = acquired", nan_form, plane="coronal")


def odd_files(c):
    raw(c, "text", "does not begin with 348 or 540", "patient\tpath\nP1\tx.nii\n")
    os.makedirs(c.path("slice/folder.nii"), exist_ok=True)
    slice_case(c, "a-folder", 65, "a folder", "folder.nii")
    slice_case(c, "not-there", 66, "cannot open it", "absent.nii")
    if not os.path.exists(c.path("slice/fifo.nii")):
        os.mkfifo(c.path("slice/fifo.nii"))
    slice_case(c, "a-fifo", 65, "not a regular file", "fifo.nii")
    slice_case(c, "a-device", 65, "not a regular file", "/dev/zero")
    slice_case(c, "a-long-name", "65|66|78", "", "x" * 2000)
    slice_case(c, "a-name-above-the-disk", 66, "cannot open it", "../" * 40 + "absent.nii")
    slice_case(c, "a-name-like-a-format", 66, "%n%s%n.nii", "%n%s%n.nii")
    slice_case(c, "a-name-like-a-command", 66, "$(touch hit)`touch hit`.nii", "$(touch hit)`touch hit`.nii")


def manifest(c, name, codes, words, text, **more):
    path = c.file(f"slice/{name}.tsv", text)
    settings = {"images.manifest": path, "images.size": 16}
    settings.update({f"images.{key}": value for key, value in more.items()})
    c.case(f"manifest: {name}", "slice", codes, words, settings)


def manifests(c):
    head, two = "patient\tpath\n", "P1\tgood1.nii\nP2\tgood2.nii\n"
    manifest(c, "empty", 65, "empty.tsv:1: expected a line with the names of the columns", "")
    manifest(c, "header-only", 65, "no rows", head)
    manifest(c, "no-patient", 65, "no-patient.tsv:1: expected a column 'patient', found none", "id\tpath\n" + two)
    manifest(c, "no-path", 65, "no-path.tsv:1: expected a column 'path', found none", "patient\tfile\n" + two)
    manifest(c, "two-paths", 65, "expected one column 'path', found two", "patient\tpath\tpath\nP1\tgood1.nii\tgood1.nii\n")
    manifest(c, "ragged", 65, "ragged.tsv:4: expected 2 columns, found 3", head + two + "P3\tgood3.nii\tx\n")
    manifest(c, "short-line", 65, "short-line.tsv:4: expected 2 columns, found 1", head + two + "P3\n")
    manifest(c, "path-twice", 65, "stands already in line 2", head + two + "P3\tgood1.nii\n")
    manifest(c, "nobody", 65, "nobody.tsv:4: expected a patient, found ''", head + two + "\tgood3.nii\n")
    manifest(c, "patient-na", 65, "patient-na.tsv:4: expected a patient, found 'NA'", head + two + "NA\tgood3.nii\n")
    manifest(c, "path-empty", 65, "path-empty.tsv:4: expected a path, found ''", head + two + "P3\t\n")
    manifest(c, "column-slice", 65, "a column must not be named 'slice'", "patient\tpath\tslice\nP1\tgood1.nii\t3\n")
    manifest(c, "split-word", 65, "split: expected train or validate, found 'test'",
             "patient\tpath\tsplit\nP1\tgood1.nii\ttrain\nP2\tgood2.nii\ttest\n")
    manifest(c, "zero-byte", 65, "expected text, found a zero byte at place 18", head + "P1\tgo\0d1.nii\n" + two)
    manifest(c, "open-quote", 65, "open-quote.tsv:4: expected a closing quote", head + two + "\"P3\tgood3.nii\n")
    manifest(c, "after-quote", 65, "expected a comma after a quote", head + "\"P1\"x\tgood1.nii\n")
    manifest(c, "byte-order-mark", 0, "", "\ufeff" + head + two)
    manifest(c, "windows", 0, "", (head + two).replace("\n", "\r\n"))
    manifest(c, "no-last-end-of-line", 0, "", (head + two).rstrip("\n"))
    manifest(c, "empty-lines", 0, "", "\n\n" + head + "\n" + two + "\n\n")
    manifest(c, "where-without-equals", 78, "images.where: expected column=value", head + two, where="sequence")
    manifest(c, "where-no-column", 78, "has no column 'sequence'", head + two, where="sequence=DCE")
    manifest(c, "where-nothing", 65, "no row has images.where = patient=P9", head + two, where="patient=P9")
    manifest(c, "column-with-a-slash", 65, "found 'a/b'", "patient\tpath\ta/b\nP1\tgood1.nii\t1\n")
    manifest(c, "column-named-dot", 65, "found '.'", "patient\tpath\t.\nP1\tgood1.nii\t1\n")
    manifest(c, "column-named-index", 65, "not _index, found '_index'", "patient\tpath\t_index\nP1\tgood1.nii\t1\n")
    manifest(c, "column-without-a-name", 65, ".tsv:1: expected a name of its own for column 3", "patient\tpath\t\nP1\tgood1.nii\t1\n")
    manifest(c, "column-twice", 65, ".tsv:1: expected a name of its own for column 4, found 'age'", "patient\tpath\tage\tage\nP1\tgood1.nii\t1\t2\n")
    manifest(c, "patients-that-are-commands", 0, "",
             head + "../../x\tgood1.nii\n$(touch hit)\tgood2.nii\n%n%s`id`<script>\tgood3.nii\n")
    c.case("manifest: a folder", "slice", 65, "found a folder", {"images.manifest": c.folder})
    c.case("manifest: not there", "slice", 66, "none.tsv", {"images.manifest": c.folder + "/none.tsv"})
    c.case("manifest: none", "slice", 78, "images.manifest", {})
    table = __import__("gzip").compress((head + two).encode(), mtime=0)
    c.file("slice/cut.tsv.gz", table[:-6])
    c.case("manifest: gzip cut", "slice", 65, "found it damaged or cut", {"images.manifest": c.folder + "/slice/cut.tsv.gz"})


def make(c):
    for n in (1, 2, 3):
        c.file(f"slice/good{n}.nii", Volume().bytes())
    headers(c)
    versions_and_orders(c)
    compressed(c)
    pairs(c)
    voxels(c)
    odd_files(c)
    manifests(c)
