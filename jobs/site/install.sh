#!/bin/sh
# Installs radmix: install.sh BUILD-FOLDER PREFIX VERSION, called by `make install`.
# With DESTDIR the files go to $DESTDIR$PREFIX and are made for $PREFIX.
set -eu
cd "$(dirname "$0")/../.."
build=$1 prefix=$2 version=$3
case $prefix in
  /*) ;;
  *) echo "install: PREFIX: expected a path from /, found '$prefix'" >&2; exit 64 ;;
esac
to=${DESTDIR-}$prefix
share=$to/share/radmix

install -d "$to/bin" "$to/lib/pkgconfig" "$to/include/radmix" "$to/share/man/man1" \
  "$to/share/bash-completion/completions" "$share/modulefiles/radmix" "$share/jobs/site"
install -m 755 "$build/radmix" "$to/bin/radmix"
install -m 644 "$build/libradmix.a" "$to/lib/libradmix.a"
install -m 644 include/radmix/*.h "$to/include/radmix/"

# Fills in a template of this folder: fill TEMPLATE RESULT
fill() {
  sed -e "s|@prefix@|$prefix|g" -e "s|@version@|$version|g" "jobs/site/$1" > "$2"
  chmod 644 "$2"
}
fill radmix.pc.in "$to/lib/pkgconfig/radmix.pc"
install -m 644 jobs/site/one_model.c "$share/one_model.c"
fill modulefile.lua.in "$share/modulefiles/radmix/$version.lua"

install -m 755 jobs/*.sh "$share/jobs/"
install -m 644 jobs/site/launch.sh "$share/jobs/site/"
# The settings of the site are the site's: an upgrade leaves them alone.
if [ ! -e "$share/jobs/site/settings.sh" ]; then
  install -m 644 jobs/site/settings.sh "$share/jobs/site/settings.sh"
elif ! cmp -s jobs/site/settings.sh "$share/jobs/site/settings.sh"; then
  install -m 644 jobs/site/settings.sh "$share/jobs/site/settings.sh.new"
fi
find inputs -type f | while read -r file; do
  install -D -m 644 "$file" "$share/$file"
done

jobs/site/manuals.sh "$build/radmix" "$version" "$to/share/man/man1" \
  "$to/share/bash-completion/completions/radmix"
echo "radmix $version is in $to"
