"""Spack recipe of radmix. In a checkout:

    spack repo add jobs/site/spack
    spack install radmix
    spack dev-build radmix@main        # from this checkout instead of a release

No Spack was at hand where it was written: its syntax is checked, a build with it is not.
"""
from spack.package import *


class Radmix(MakefilePackage):
    """Which deep MR image features go with which genes, over MPI."""

    homepage = "https://doi.org/10.1186/s40364-023-00455-y"
    git = "file://."

    license("GPL-3.0-or-later")
    version("main", branch="main")

    depends_on("c", type="build")
    depends_on("gmake", type="build")
    depends_on("pkgconfig", type="build")
    depends_on("mpi")
    depends_on("hdf5+mpi+hl@1.10:")
    depends_on("netlib-scalapack")
    depends_on("openblas threads=none")
    depends_on("netlib-lapack+lapacke", when="^openblas@:0.2")
    depends_on("nifticlib")
    depends_on("zlib-api")
    depends_on("random123")
    depends_on("r-mathlib")
    depends_on("xxhash")
    depends_on("gnuplot", type="run")

    def build(self, spec, prefix):
        make("DEPS=no", *self.places(spec))

    def install(self, spec, prefix):
        make("DEPS=no", "install", f"PREFIX={prefix}", *self.places(spec))

    @staticmethod
    def places(spec):
        """Where the Makefile finds what it looks for in Debian's folders."""
        headers = [
            f"-I{spec['nifticlib'].prefix.include}/nifti",
            f"-I{spec['random123'].prefix.include}",
            f"-I{spec['r-mathlib'].prefix.include}",
        ]
        libraries = [spec[name].libs.ld_flags for name in ("nifticlib", "netlib-scalapack")]
        libraries.append(f"-L{spec['r-mathlib'].prefix.lib}")
        return [
            f"CC={spec['mpi'].mpicc}",
            "PACKAGES=hdf5 openblas zlib libxxhash",
            f"CFLAGS={' '.join(headers)}",
            f"LDFLAGS={' '.join(libraries)}",
        ]
