#!/bin/sh
# Sets everything up and runs Foreshadow on this machine: broker, controller, two agents, two services.
#
#   sh install/quickstart.sh           run until Ctrl-C; nothing is left running or enabled
#   sh install/quickstart.sh --check   play the whole story once without a person; exit 0 only if every step happened
#
# Further arguments go to `foreshadow dev` (--port, --folder, --idle-shadow).
set -eu
cd "$(dirname "$0")/.."
. install/setup.sh
set_up
say 'foreshadow dev'
exec sh install/node packages/cli/bin/foreshadow.js dev --nats-server "$FORESHADOW_NATS_SERVER" "$@"
