#!/bin/sh
# Sets everything up and runs every test that this machine allows; says at the end what was left out, and why.
#
#   sh install/test.sh              check (types, lint, format, unit, contract and house rules), then integration
#   sh install/test.sh --check      check only
set -eu
cd "$(dirname "$0")/.."
. install/setup.sh
set_up

left_out=''
leave_out() { left_out="$left_out
  - $1"; }

need_package setfacl acl 'tests of access control lists' || leave_out 'access control lists on restored files: setfacl is missing (apt-get install acl)'
need_package setfattr attr 'tests of extended attributes' || leave_out 'extended attributes on restored files: setfattr is missing (apt-get install attr)'
[ "$(id -u)" -eq 0 ] || leave_out 'immutable files and foreign owners: only root can make them'
leave_out 'recorded tests (npm run record:…): long; their results stand in test/recorded and test/bench/results'

started=$(date +%s)
say 'npm run check'
npm run --silent check
checked=$(date +%s)
say "check took $((checked - started)) s"
if [ "${1:-}" != --check ]; then
  say 'npm run test:integration'
  npm run --silent test:integration
  say "integration took $(($(date +%s) - checked)) s"
fi
say "all tests took $(($(date +%s) - started)) s"
printf 'Left out:%s\n' "$left_out"
