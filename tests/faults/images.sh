#!/usr/bin/env bash
# Bad inputs of `radmix slice` on the command line: each ends with its exit code and one line of
# message on 3 ranks (some also on 1), within 20 s, and leaves nothing under a final name. The table
# of all cases is in tests/mpi/test_images.c. Output: TAP.
#
#     tests/faults/images.sh            RADMIX=build/release/radmix by default
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OPENBLAS_NUM_THREADS=1
radmix=${RADMIX:-build/${MODE:-release}/radmix}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
counts='1 3'
n_tests=0
n_failed=0

# A NIfTI-1 file of 16 x 16 x 3 bytes: header $1 (a Python expression that changes h), name $2.
make_volume() {
  python3 - "$work/$2" "$1" <<'PYTHON'
import gzip, struct, sys
path, change = sys.argv[1:]
h = bytearray(352)
struct.pack_into("<i", h, 0, 348)
struct.pack_into("<8h", h, 40, 3, 16, 16, 3, 1, 1, 1, 1)
struct.pack_into("<2h", h, 70, 2, 8)
struct.pack_into("<3f", h, 108, 352, 1, 0)
h[344:348] = b"n+1\0"
data = bytes(1 + i % 200 for i in range(16 * 16 * 3))
put = lambda at, form, *v: struct.pack_into("<" + form, h, at, *v)
scope = {"h": h, "data": data, "put": put, "struct": struct}
exec(change, scope)
whole = bytes(h) + scope["data"]
if path.endswith(".gz"):
    whole = gzip.compress(whole)
open(path, "wb").write(whole[: scope.get("keep", len(whole))])
PYTHON
}

# check NAME CODE WORDS ARGUMENTS...: the manifest is $work/images.tsv unless ARGUMENTS say more.
check() {
  local name=$1 code=$2 words=$3 ranks found
  shift 3
  for ranks in $counts; do
    n_tests=$((n_tests + 1))
    rm -rf "$work/out"
    timeout 20 mpirun -q --oversubscribe -n "$ranks" "$radmix" slice \
      -s study.directory="$work/out" -s images.manifest="$work/images.tsv" "$@" >"$work/stdout" 2>"$work/stderr"
    found=$?
    if [ $found = "$code" ] && [ "$(grep -c '^radmix: ' "$work/stderr")" = 1 ] &&
      grep -qF -- "$words" "$work/stderr" && [ "$(grep -vc '^\[' "$work/stderr")" = 1 ] &&
      [ -z "$(find "$work/out" -name '*h5ad*' 2>/dev/null)" ]; then
      echo "ok $n_tests - $name, $ranks ranks"
    else
      echo "not ok $n_tests - $name, $ranks ranks"
      echo "# expected $code and '$words', found $found"
      sed 's/^/# /' "$work/stderr"
      n_failed=$((n_failed + 1))
    fi
  done
}

# A manifest whose last file, on the last rank, is named $1.
make_manifest() {
  printf 'patient\tpath\nP1\tgood1.nii\nP2\tgood2.nii\nP3\t%s\n' "$1" >"$work/images.tsv"
}

# volume NAME CODE WORDS CHANGE [FILE]: a manifest that ends in a bad volume.
volume() {
  make_volume "$4" "${5:-bad.nii}"
  make_manifest "${5:-bad.nii}"
  check "$1" "$2" "$3"
  rm -f "$work/${5:-bad.nii}"
}

make_volume '' good1.nii
make_volume '' good2.nii
mkdir "$work/folder.nii"

make_manifest missing.nii
check 'a missing volume' 66 "images.tsv:4: $work/missing.nii: cannot open it"
make_manifest folder.nii
check 'a folder as volume' 65 "images.tsv:4: $work/folder.nii: a folder"
counts=3
volume 'a cut volume' 65 'cut: 600 bytes' 'keep = 600'
volume 'a cut gzip' 65 'damaged or cut' 'keep = 250' bad.nii.gz
volume 'NaN voxels' 65 'is NaN or infinite' \
  'put(70, "2h", 16, 32); data = struct.pack("<f", float("nan")) * 768'

printf 'patient\tpath\nP1\tgood1.nii\n' >"$work/images.tsv"
check 'a folder as manifest' 65 folder -s images.manifest="$work/folder.nii"
check 'a missing manifest' 66 none.tsv -s images.manifest="$work/none.tsv"
check 'no manifest' 78 images.manifest -s images.manifest=
counts='1 3'
check 'a plane without orientation' 65 'use images.plane = acquired' -s images.plane=axial
check 'a size out of range' 78 images.size -s images.size=7

echo "1..$n_tests"
exit $((n_failed > 0))
