# Sourced by quickstart.sh and test.sh, in the checkout's folder: sets up what both need, and says what it does.
# Installs only from npm and Debian packages. Every step may be run again and does nothing when it is done already.

say() { printf '==> %s\n' "$*"; }
fail() { printf 'error: %s\n' "$*" >&2; exit 1; }

# Debian packages that a program of ours links against or a test calls; only with root, only what is missing.
need_package() { # need_package PROGRAM-OR-FILE PACKAGE WHY
  if [ -e "$1" ] || command -v "$1" >/dev/null 2>&1; then return 0; fi
  if [ "$(id -u)" -ne 0 ]; then return 1; fi
  say "installing Debian package $2 ($3)"
  update_lists
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$2" >/dev/null
}

lists_are_fresh=no
update_lists() {
  if [ "$lists_are_fresh" = yes ]; then return 0; fi
  if [ "$(id -u)" -eq 0 ]; then
    apt-get update -qq >/dev/null 2>&1 || say 'apt-get update failed; going on with the package lists that are there'
  fi
  lists_are_fresh=yes
}

# The programs of a Debian package, unpacked into .cache without installing it: no root, and no service is enabled.
unpack_package() { # unpack_package PACKAGE PROGRAM-IN-PACKAGE
  if [ -x ".cache/$1/$2" ]; then return 0; fi
  command -v apt-get >/dev/null 2>&1 || return 1
  say "fetching Debian package $1 into .cache (unpacked there, not installed)"
  update_lists
  rm -rf ".cache/$1.new" && mkdir -p ".cache/$1.new"
  (
    cd ".cache/$1.new" &&
      apt-get download -qq "$1" >/dev/null 2>&1 &&
      dpkg -x ./*.deb . && rm -f ./*.deb
  ) || return 1
  rm -rf ".cache/$1" && mv ".cache/$1.new" ".cache/$1"
  [ -x ".cache/$1/$2" ]
}

find_nats_server() {
  for candidate in "${FORESHADOW_NATS_SERVER:-}" "$(command -v nats-server 2>/dev/null)" /usr/sbin/nats-server; do
    if [ -n "$candidate" ] && [ -x "$candidate" ]; then
      FORESHADOW_NATS_SERVER=$candidate
      export FORESHADOW_NATS_SERVER
      return 0
    fi
  done
  unpack_package nats-server usr/sbin/nats-server ||
    fail 'no nats-server, and the Debian package could not be fetched. As root: apt-get update; or install nats-server yourself and run this again.'
  FORESHADOW_NATS_SERVER=$PWD/.cache/nats-server/usr/sbin/nats-server
  export FORESHADOW_NATS_SERVER
}

set_up() {
  [ "$(uname -s)" = Linux ] || fail 'Foreshadow runs on Linux'
  command -v npm >/dev/null 2>&1 || fail 'npm is missing; install Node 20 or later with npm first'
  # The pinned Node of node_modules is linked against libatomic.
  if ! ldconfig -p 2>/dev/null | grep -q libatomic.so.1; then
    need_package /usr/lib/libatomic.so.1 libatomic1 'the pinned Node needs it' ||
      fail 'libatomic1 is missing; as root: apt-get install libatomic1'
  fi
  if [ ! -e node_modules/.package-lock.json ] || [ package-lock.json -nt node_modules/.package-lock.json ]; then
    say 'npm ci (libraries and the pinned Node, into node_modules)'
    npm ci --no-audit --no-fund --loglevel=error
  fi
  say "Node $(sh install/node --version) (pinned), npm $(npm --version)"
  find_nats_server
  say "$("$FORESHADOW_NATS_SERVER" --version) at $FORESHADOW_NATS_SERVER"
}
