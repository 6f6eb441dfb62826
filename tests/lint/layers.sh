#!/usr/bin/env bash
# A stage includes base, its own headers, and those of stages before it; never one that comes after.
set -u
cd "$(dirname "$0")/../.." || exit 1
order=(base simulation images autoencoder features genomics association clustering prediction report)
base=" status error memory isa config log random table partition frame resume store matrix result job signal"
base+=" text broadcast gram "
bad=0

place() {
  local i
  for i in "${!order[@]}"; do [ "${order[$i]}" = "$1" ] && echo "$i" && return; done
  case $base in *" $1 "*) echo 0 ;; *) echo unknown ;; esac
}

for file in src/*/*.[ch]; do
  stage=${file#src/}; stage=${stage%%/*}
  mine=$(place "$stage")
  [ "$mine" = unknown ] && { echo "$file: $stage: no such stage"; bad=1; continue; }
  while read -r line include; do
    what=${include#radmix/}; what=${what%%/*}; what=${what%.h}
    theirs=$(place "$what")
    case $include in radmix/* | */*) ;; *) continue ;; esac
    if [ "$theirs" = unknown ]; then echo "$file:$line: $include: no such stage"; bad=1
    elif [ "$theirs" -gt "$mine" ]; then echo "$file:$line: $include comes after $stage"; bad=1; fi
  done < <(grep -nE '^#include "' "$file" | sed -E 's/^([0-9]+):#include "([^"]+)".*/\1 \2/')
done
exit $bad
