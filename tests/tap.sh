# tap.sh: for test scripts that print TAP; they `source` it, call the functions, and end with finish.
# shellcheck shell=bash
tap_count=0 tap_failed=0 code=0

# ok CODE NAME: prints a line for a test that ended with CODE.
ok() {
  tap_count=$((tap_count + 1))
  if [ "$1" = 0 ]; then
    echo "ok $tap_count - $2"
  else
    echo "not ok $tap_count - $2"
    tap_failed=1
  fi
}

skip() {
  tap_count=$((tap_count + 1))
  echo "ok $tap_count - $1 # SKIP $2"
}

# radmix_on RANKS ARGUMENT...: runs radmix; the exit code is in $code, its messages in err.txt.
radmix_on() {
  local ranks=$1 launch=()
  shift
  [ "$ranks" = 1 ] || launch=(mpirun -q --oversubscribe -n "$ranks")
  timeout -k 2 "${TAP_LIMIT:-60}" "${launch[@]}" "$RADMIX" "$@" > out.txt 2> err.txt
  code=$?
}

# refuses CODE WORDS RANKS ARGUMENT...: radmix must end with CODE and one line that holds WORDS.
refuses() {
  local expected=$1 words=$2 ranks=$3 lines good=1
  shift 3
  radmix_on "$ranks" "$@"
  lines=$(grep -c '^radmix: ' err.txt)
  if [ "$code" = "$expected" ] && [ "$lines" = 1 ] && grep '^radmix: ' err.txt | grep -qF -- "$words"; then good=0; fi
  ok $good "exit $expected on $ranks ranks: $words"
  if [ $good != 0 ]; then
    echo "# radmix $*: exit $code, $lines lines:"
    grep '^radmix: ' err.txt | sed 's/^/# /'
  fi
}

finish() {
  echo "1..$tap_count"
  exit $tap_failed
}
