#!/usr/bin/env python3
"""Reads every file of a folder with nibabel, for tests/unit/test_nifti_corner.c.

    nifti_nibabel.py FOLDER OUT

Writes OUT/NUMBER.f32, the voxels as float32 with the first axis fastest, and on standard output a
line a file: NUMBER, whether radmix must read it (1) or may refuse it (0), PATH.
Exit code 69 when nibabel is missing.
"""
import pathlib
import sys
import warnings

try:
    import nibabel
    import numpy
except ImportError:
    sys.exit(69)
warnings.simplefilter("ignore")
nibabel.imageglobals.logger.disabled = True

folder, out = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
endings = (".nii", ".nii.gz", ".hdr", ".hdr.gz", ".img", ".img.gz")
files = sorted(p for p in folder.rglob("*") if p.is_file() and p.name.endswith(endings))
for number, path in enumerate(files):
    must_read = 0
    try:
        image = nibabel.load(path)
        data = image.get_fdata()
        if not numpy.iscomplexobj(image.dataobj):
            data.astype("<f4").ravel(order="F").tofile(out / ("%d.f32" % number))
            is_nifti = isinstance(image, nibabel.Nifti1Pair)
            must_read = int(is_nifti and len(data.shape) > 1 and all(n == 1 for n in data.shape[4:]))
    except Exception:  # nibabel raises many kinds; what it cannot read radmix may refuse
        pass
    print(number, must_read, path, flush=True)
