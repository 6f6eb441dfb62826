#!/usr/bin/env bash
# Lists files over 500 lines, functions over 70 (kernels 100), lines over 100. Questions, not laws.
cd "$(dirname "$0")/../.." || exit 1
wc -l src/*/*.[ch] include/radmix/*.h src/*.[ch] | awk '$2 != "total" && $1 > 500 {print $2 ": " $1 " lines"}'
for file in src/*/*.c src/*.c; do
  case $file in *.kernel.c) limit=100 ;; *) limit=70 ;; esac
  awk -v limit=$limit '/^[A-Za-z_].*\)[[:space:]]*\{[[:space:]]*$/ {start = FNR; open = 1}
    /^\}/ {if (open && FNR - start > limit) print FILENAME ":" start ": a function of " FNR - start " lines"; open = 0}
    length($0) > 100 {print FILENAME ":" FNR ": " length($0) " columns"}' "$file"
done
exit 0
