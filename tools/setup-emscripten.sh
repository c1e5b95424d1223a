#!/usr/bin/env bash
# Makes sure that tools/emcc has an Emscripten to run; tools/em says in which
# order it looks. If it finds none, and this is Debian and we are root, this
# script makes a private root: Emscripten and nothing else of a Debian newer than
# the machine's own, which usually packages one that is too old.
#
# It lies in the cache folder, not in the checkout, so that the next clone finds
# it. A second run changes nothing.
#
#   COWORKER_CACHE, COWORKER_EMSCRIPTEN_ROOT
#                           where it is made, see tools/em
#   COWORKER_DEBIAN_MIRROR  where to get the packages; by default, where the
#                           machine's apt gets its own
set -euo pipefail

tools=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
# shellcheck source=tools/versions.sh
. "$tools/versions.sh"

suite=forky # The first Debian release with an Emscripten that is new enough.
cache=${COWORKER_CACHE:-${XDG_CACHE_HOME:-${HOME:-}/.cache}/coworker}
root=${COWORKER_EMSCRIPTEN_ROOT:-$cache/emscripten-root}
root=$(realpath -m "$root")
log=$(realpath -m "$cache")/setup-emscripten.log

die() {
  echo "setup-emscripten: $*" >&2
  exit 1
}

say_which() {
  local where
  where=$("$tools/em" --where 2>/dev/null) || return 1
  local kind version path note=
  read -r kind version path <<<"$where"
  case $kind in
    path) kind="emcc on PATH" ;;
    emsdk) kind="emcc of \$EMSDK" ;;
    root) kind="private root" ;;
  esac
  [[ $version == "$EMSCRIPTEN_TESTED" ]] || note=" (last tested with $EMSCRIPTEN_TESTED)"
  echo "Emscripten $version: $kind, $path$note"
}

say_which && exit

if ! grep -qsx 'ID=debian' /etc/os-release || ((EUID != 0)) ||
  ! unshare --mount --propagation private true 2>/dev/null; then
  die "no Emscripten >= $EMSCRIPTEN_MINIMUM found: install it with emsdk (https://emscripten.org) and put emcc on PATH or set EMSDK (done here only on Debian, by root, where mounting is allowed)"
fi

# Two clones may get here at once. What a setup that was killed leaves running
# holds the lock too, until it ends.
umask 022
mkdir -p "$cache" "${root%/*}"
exec 9>"$cache/setup-emscripten.lock"
flock 9
say_which && exit

echo "Setting up Emscripten in $root; this takes a few minutes (log: $log)"

# From here on the output goes to the log; 3 and 4 are the real stdout and stderr.
exec 3>&1 4>&2 >"$log" 2>&1
trap 'tail -n 15 "$log" >&4; echo "setup-emscripten: failed; see $log" >&4' ERR

needed=(debootstrap debian-archive-keyring gpgv)
if ! dpkg --status "${needed[@]}" >/dev/null; then
  apt-get update
  DEBIAN_FRONTEND=noninteractive \
    apt-get install -y --no-install-recommends "${needed[@]}"
fi

# apt itself reads its sources best, in whichever format they are: take the
# archive that has the machine's own release. Nothing need be downloaded for it.
mirror=${COWORKER_DEBIAN_MIRROR:-}
if [[ -z $mirror ]]; then
  codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
  mirror=$(apt-get indextargets --no-release-info \
    --format "\$(RELEASE) \$(COMPONENT) \$(REPO_URI)" 'Created-By: Packages' |
    awk -v own="$codename" '
      BEGIN { split(own " stable testing unstable sid", s); for (i in s) known[s[i]] }
      $1 in known && $2 == "main" && $3 ~ /^(https?|ftp|file):/ && !uri { uri = $3 }
      END { print uri }')
  if [[ -z $mirror ]]; then
    echo "setup-emscripten: apt names no Debian mirror; set COWORKER_DEBIAN_MIRROR" >&4
    exit 1
  fi
fi
# debootstrap downloads with wget, which does not know of apt's proxy.
eval "$(apt-config shell proxy Acquire::http::Proxy)"
[[ -z ${proxy:-} ]] || export http_proxy=${http_proxy:-$proxy}

# Made aside and renamed when complete: a root that is there is a whole one. In a
# mount namespace of its own, as debootstrap mounts /proc in it, and a mount left
# by an interrupted run must not be there when the next one deletes its rest.
# The script is named as an older debootstrap does not know the suite.
rm -rf --one-file-system "$root.new"
unshare --mount --propagation private -- \
  debootstrap --variant=minbase --force-check-gpg \
  --include=emscripten,ca-certificates \
  "$suite" "$root.new" "$mirror" /usr/share/debootstrap/scripts/sid
rm -f "$root.new"/var/cache/apt/archives/*.deb "$root.new"/var/lib/apt/lists/*_*

# Build Emscripten's system libraries now, for the kinds of link that the project
# makes, rather than in the middle of the first build: one link for each
# allocator, optimised, and the same with assertions (mimalloc has no such build).
unset TMPDIR EM_CACHE EMCC_CFLAGS EMCC_DEBUG
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch" # The compiler sees /tmp, but not whichever folder this was run in.
cat >warm.c <<'C'
#include <pthread.h>
#include <stdlib.h>
static void *run(void *p) { return p; }
int main(void) {
  pthread_t t;
  return pthread_create(&t, NULL, run, malloc(1)) || pthread_join(t, NULL);
}
C
for flags in "-O3 -sMALLOC=emmalloc" "-O3 -sMALLOC=dlmalloc" "-O3 -sMALLOC=mimalloc" \
  "-O0 -g -sMALLOC=emmalloc" "-O0 -g -sMALLOC=dlmalloc"; do
  # shellcheck disable=SC2086  # several flags
  COWORKER_EMSCRIPTEN_ROOT=$root.new "$tools/emcc" -pthread $flags \
    -sEXPORT_ES6 -sMODULARIZE -sENVIRONMENT=web,worker warm.c -o warm.mjs
done

rm -rf --one-file-system "$root"
mv -T "$root.new" "$root"
COWORKER_EMSCRIPTEN_ROOT=$root say_which >&3 || {
  echo "setup-emscripten: $suite has no Emscripten >= $EMSCRIPTEN_MINIMUM" >&4
  exit 1
}
