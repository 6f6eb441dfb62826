#!/usr/bin/env bash
# The command line: help, version, settings, usage errors.
# shellcheck source=../tap.sh
source "$(dirname "$0")/../tap.sh"

radmix_on 1 --help
[ "$code" = 0 ] && grep -q 'in the order of the flow' out.txt
ok $? "--help prints the commands"

for command in run simulate slice train encode factors associate cluster predict report top config; do
  radmix_on 1 "$command" --help
  [ "$code" = 0 ] && grep -q "usage: .* radmix $command " out.txt && [ ! -s err.txt ]
  ok $? "$command --help prints, and does nothing else"
done
[ -z "$(find . -mindepth 1 ! -name out.txt ! -name err.txt)" ]
ok $? "help makes no file"

radmix_on 2 --version
[ "$code" = 0 ] && [ "$(grep -c '^radmix ' out.txt)" = 1 ]
ok $? "--version is printed once"

radmix_on 1 config
cp out.txt all.ini
radmix_on 1 config all.ini
cmp -s out.txt all.ini
ok $? "config prints a deck that reads back as itself"

for ranks in 1 3; do
  refuses 64 "expected a command" $ranks
  refuses 64 "nonsense: expected a command" $ranks nonsense
  refuses 64 "expected section.key=value" $ranks slice -s images.size
  refuses 64 "--nonsense: expected an option" $ranks slice --nonsense
  refuses 66 "absent.ini" $ranks slice absent.ini
  refuses 78 "images.sise: no such setting" $ranks slice -s images.sise=3
  refuses 78 "images.size: expected a whole number from 8 to 512" $ranks slice -s images.size=3
done
[ ! -e out ]
ok $? "a refused command leaves nothing behind"
refuses 78 "prediction.strict_folds" 1 predict -s prediction.strict_folds=yes -s prediction.split=image -s study.directory=refused
finish
