#!/usr/bin/env bash
# What `make install` puts on a machine works from there: the program, the library with pkg-config,
# manual pages, completion, job scripts. Output: TAP.
top=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=tests/tap.sh
. "$top/tests/tap.sh"
prefix=/opt/radmix
to=$PWD/root$prefix

DESTDIR=$PWD/root "$top/jobs/site/install.sh" "$RADMIX_BUILD" $prefix 1.2.3 > install.txt 2>&1
ok $? "files are installed into DESTDIR"
"$to/bin/radmix" --version > version.txt 2>&1
ok $? "the installed program runs"

cmp -s "$RADMIX" "$to/bin/radmix"; ok $? "it is the one that was built"
bad=0
for command in $("$RADMIX" --help | sed -nE 's/^  ([a-z]+) .*/\1/p'); do
  [ -s "$to/share/man/man1/radmix-$command.1" ] || bad=1
done
ok $bad "every command has its manual page"
if command -v man > /dev/null; then
  man --warnings -l "$to"/share/man/man1/*.1 2>&1 > /dev/null | grep . > man.txt
  ok $((PIPESTATUS[1] == 0)) "the pages are without fault"
else
  skip "the pages are without fault" "no man here"
fi
(
  # shellcheck disable=SC1091
  . "$to/share/bash-completion/completions/radmix"
  COMP_WORDS=(radmix ass) COMP_CWORD=1
  _radmix 2> /dev/null
  [ "${COMPREPLY[*]}" = associate ] || exit 1
  COMP_WORDS=(radmix train study.ini -s autoencoder.epo) COMP_CWORD=4
  _radmix 2> /dev/null
  [ "${COMPREPLY[*]}" = autoencoder.epochs= ]
)
ok $? "bash completes commands and settings"

# The library is static: the sanitizers of a debug build are no part of it.
case $RADMIX_BUILD in
  */release | */debug)
    # nlme 3.1-162 on the same 13 rows.
    expected="beta 1.2560 se 0.4093 t 3.0686 df 3 p 0.05462"
    export PKG_CONFIG_SYSROOT_DIR='' PKG_CONFIG_PATH=$to/lib/pkgconfig
    # shellcheck disable=SC2046
    mpicc "$to/share/radmix/one_model.c" $(pkg-config --define-variable=prefix="$to" --cflags --libs radmix) -o one_model 2> cc.txt
    ok $? "a program is built with pkg-config alone"
    [ ! -s cc.txt ] || sed 's/^/# /' cc.txt
    ./one_model > model.txt
    [ "$(cat model.txt)" = "$expected" ]
    ok $? "it fits one mixed model as nlme does"
    echo "# $(cat model.txt)"
    ;;
  *) skip "a program is built with pkg-config alone" "not a release build" ;;
esac

cat > study.ini << 'END'
[simulation]
features = 20
patients = 12
images_per_patient = 2
genes = 10
links = 2
sets = 0
END
if command -v sbatch > /dev/null; then export RADMIX_HERE=yes; fi
RADMIX='' RADMIX_RANKS=2 "$to/share/radmix/jobs/simulate.sh" study.ini -s study.directory=out > job.txt 2>&1
ok $? "an installed job script runs the installed program"
[ -s out/simulated/truth.tsv ]; ok $? "and its result is there"

echo 'RADMIX_ACCOUNT=mine' > "$to/share/radmix/jobs/site/settings.sh"
DESTDIR=$PWD/root "$top/jobs/site/install.sh" "$RADMIX_BUILD" $prefix 1.2.3 > again.txt 2>&1
grep -q 'RADMIX_ACCOUNT=mine' "$to/share/radmix/jobs/site/settings.sh"
ok $? "an upgrade leaves the settings of the site"
finish
