#!/usr/bin/python3
"""Writes the seed corpus of the fuzz targets: seeds.py FOLDER. The seeds are the files of the
campaign of bad inputs, and the signatures that radmix comes with."""
import glob
import os
import random
import shutil
import sys

here = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(here, "../campaign"))
sys.dont_write_bytecode = True

import nifti_cases  # noqa: E402
import text_cases  # noqa: E402
from campaign import Campaign  # noqa: E402

LARGEST = 20000


def collect(folder, target, paths, prefix=None):
    """Copies files into FOLDER/TARGET, behind a byte that says what they are."""
    os.makedirs(os.path.join(folder, target), exist_ok=True)
    for path in paths:
        if not os.path.isfile(path) or os.path.getsize(path) > LARGEST:
            continue
        with open(path, "rb") as file:
            content = file.read()
        with open(os.path.join(folder, target, os.path.basename(path)), "wb") as out:
            out.write((prefix(path) if prefix else b"") + content)


def main():
    folder = os.path.abspath(sys.argv[1])
    c = Campaign(os.path.join(folder, "cases"))
    nifti_cases.make(c)
    text_cases.make(c)
    files = sorted(glob.glob(c.folder + "/*/*"))

    def named(*endings):
        return [path for path in files if path.endswith(endings)]

    collect(folder, "nifti", named(".nii", ".hdr"), lambda path: bytes([path.endswith(".hdr")]))
    collect(folder, "table", named(".tsv", ".csv", ".gz"), lambda path: bytes([path.endswith(".csv")]))
    collect(folder, "gmt", named(".gmt", ".gmt.gz"))
    collect(folder, "deck", named(".ini") + glob.glob(os.path.join(here, "../../inputs/*.ini")))
    collect(folder, "signature", named(".sig") + glob.glob(os.path.join(here, "../../inputs/signatures/*.sig")))
    os.makedirs(os.path.join(folder, "matrix"), exist_ok=True)
    draw = random.Random(1)
    for i in range(40):
        with open(os.path.join(folder, "matrix", str(i)), "wb") as out:
            out.write(bytes(draw.randrange(256) for _ in range(50 + 10 * i)))
    shutil.rmtree(c.folder)


if __name__ == "__main__":
    main()
