#!/usr/bin/env python3
"""Writes tests/golden/resample_scipy.h: scipy.ndimage.zoom(order=3) of small images.

    /usr/bin/python3 tests/golden/resample_scipy.py > tests/golden/resample_scipy.h

Made with scipy 1.10.1, numpy 1.24.2. The images are a formula that the test repeats:
pixel (r, c) = ((7 r^2 + 13 c + 5 r c) mod 101) / 100.
"""
import sys
import warnings

import numpy
import scipy
from scipy.ndimage import zoom

warnings.simplefilter("ignore")
CASES = [(8, 8, 8), (2, 3, 8), (5, 9, 16), (16, 16, 8), (33, 20, 12), (30, 30, 28), (12, 31, 10)]


def image(rows, columns):
    r, c = numpy.mgrid[0:rows, 0:columns]
    return (7 * r * r + 13 * c + 5 * r * c) % 101 / 100.0


out = sys.stdout
out.write("/* Made by resample_scipy.py with scipy %s; do not edit. */\n" % scipy.__version__)
out.write("#ifndef RADMIX_GOLDEN_RESAMPLE_SCIPY_H\n#define RADMIX_GOLDEN_RESAMPLE_SCIPY_H\n\n")
out.write("typedef struct {\n  int rows, columns, size;\n  const double *pixels;\n} scipy_case;\n\n")
# clang-format leaves the numbers alone.
out.write("/* clang-format off */\n")
for number, (rows, columns, size) in enumerate(CASES):
    result = zoom(image(rows, columns), (size / rows, size / columns), order=3)
    assert result.shape == (size, size)
    out.write("static const double scipy_pixels_%d[] = {\n" % number)
    values = ["%.10g" % value for value in result.ravel()]
    for start in range(0, len(values), 8):
        out.write("  " + ", ".join(values[start : start + 8]) + ",\n")
    out.write("};\n")
out.write("static const scipy_case scipy_cases[] = {\n")
for number, case in enumerate(CASES):
    out.write("  {%d, %d, %d, scipy_pixels_%d},\n" % (*case, number))
out.write("};\n/* clang-format on */\n\n#endif\n")
