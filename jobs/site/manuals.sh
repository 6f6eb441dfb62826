#!/bin/sh
# Makes the manual pages and the completion of bash from what the program says of itself, so that
# there is no second list: manuals.sh RADMIX VERSION FOLDER-OF-MAN1 COMPLETION-FILE
set -eu
here=$(cd "$(dirname "$0")" && pwd)
status=$here/../../include/radmix/status.h
radmix=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
version=$2 man=$3 completion=$4
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OPENBLAS_NUM_THREADS=1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

commands() {
  sed -n '/^commands/,/^  -s/p' "$work/help" | sed -nE 's/^  ([a-z]+) .*/\1/p'
}

# Text for a page: no macro by accident.
clean() {
  sed -e 's/\\/\\e/g' -e 's/-/\\-/g' -e "s/^\([.']\)/\\\\\&\1/"
}

exit_codes() {
  echo .SH EXIT STATUS
  sed -nE 's/^ *RX_[A-Z_]+ = ([0-9]+),? *(\/\* (.*) \*\/)?$/\1 \3/p' "$status" |
    while read -r code meaning; do
      printf '.TP\n.B %s\n%s\n' "$code" "${meaning:-success}"
    done | sed 's/-/\\-/g'
}

# The settings of a help text: "# meaning" over "key = value", under "[section]".
settings() {
  awk '/^\[/ { section = substr($0, 2, index($0, "]") - 2); next }
    /^# / { meaning = substr($0, 3); next }
    / =/ { print ".TP\n.B " section "." $1 "\n" meaning }' "$1" | sed -e 's/-/\\-/g'
}

see_also() {
  echo .SH SEE ALSO
  [ "$1" = radmix ] || printf '.BR radmix (1)\n'
  for command in $(commands); do
    [ "$1" = "$command" ] || printf '.BR radmix\\-%s (1)\n' "$command"
  done
}

page_of_program() {
  printf '.TH RADMIX 1 "" "radmix %s"\n.SH NAME\nradmix \\- %s\n.SH SYNOPSIS\n' "$version" \
    'which deep image features go with which genes'
  printf '.B mpirun \\-n\n.I RANKS\n.B radmix\n.I COMMAND DECK\n'
  printf '[\\fB\\-s\\fR \\fIsection.key\\fR=\\fIvalue\\fR]... [\\fB\\-\\-force\\fR]'
  printf ' [\\fB\\-v\\fR | \\fB\\-q\\fR] [\\fB\\-\\-help\\fR]\n'
  printf '.SH DESCRIPTION\n.nf\n'
  sed -e 1,3d "$work/help" | clean
  printf '.fi\n.SH ENVIRONMENT\n.TP\n.B RADMIX_ISA\n%s\n' \
    'the instruction set to use, 2, 3 or 4 for x86\-64\-v2, v3, v4, instead of the best of the machine'
  exit_codes
  see_also radmix
}

page_of_command() {
  meaning=$(sed -n 3p "$work/$1" | clean)
  printf '.TH "RADMIX\\-%s" 1 "" "radmix %s"\n.SH NAME\nradmix\\-%s \\- %s\n' \
    "$(echo "$1" | tr '[:lower:]' '[:upper:]')" "$version" "$1" "$meaning"
  printf '.SH SYNOPSIS\n'
  sed -n 1p "$work/$1" | sed 's/^usage: //' | clean
  printf '.SH DESCRIPTION\n%s.\n' "$meaning"
  [ "$(settings "$work/$1" | wc -l)" = 0 ] || {
    printf '.SH SETTINGS\nIn the deck, or with \\fB\\-s\\fR.\n'
    settings "$work/$1"
  }
  exit_codes
  see_also "$1"
}

"$radmix" --help > "$work/help"
(cd / && "$radmix" config) > "$work/settings"
page_of_program > "$man/radmix.1"
for command in $(commands); do
  (cd / && "$radmix" "$command" --help) > "$work/$command"
  page_of_command "$command" > "$man/radmix-$command.1"
done

names=$(settings "$work/settings" | sed -n 's/^\.B \(.*\)/\1=/p' | sed 's,\\,,g' | tr '\n' ' ')
{
  echo "# bash completion of radmix $version"
  echo "_radmix() {"
  echo "  local commands='$(commands | tr '\n' ' ' | sed 's/ $//')'"
  echo "  local settings='${names% }'"
  sed -n '/^# completion: /,$p' "$here/completion.bash.in" | sed 1d
} > "$completion"
