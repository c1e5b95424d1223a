#!/usr/bin/env bash
# Makes sure that the browsers the tests run in are there: Chromium, Firefox,
# and WebKitGTK's MiniBrowser with its WebDriver and a virtual display for it.
# What is on the PATH, or named by CHROMIUM, FIREFOX or WEBKIT_DRIVER, is used;
# the rest is installed from Debian's packages where that is possible.
set -euo pipefail

# have NAME...: true if one of them is a command or an executable file.
have() {
  local name
  for name in "$@"; do
    if [[ -n $name ]] && command -v -- "$name" >/dev/null; then return 0; fi
  done
  return 1
}

missing_packages() {
  have "${CHROMIUM:-}" chromium chromium-browser google-chrome-stable \
    google-chrome || echo chromium
  have "${FIREFOX:-}" firefox-esr firefox || echo firefox-esr
  # The driver's package depends on the library's, which has MiniBrowser.
  have "${WEBKIT_DRIVER:-}" WebKitWebDriver || echo webkit2gtk-driver
  have Xvfb || echo xvfb
}

mapfile -t missing < <(missing_packages)
if ((${#missing[@]} == 0)); then exit 0; fi

if [[ ! -e /etc/debian_version || $(id -u) -ne 0 ]] || ! have apt-get; then
  echo "setup-browsers: not found: ${missing[*]} (Debian's package names);" \
    'install them, or set CHROMIUM, FIREFOX, WEBKIT_DRIVER to the programs' >&2
  exit 1
fi

echo "setup-browsers: installing ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
# Another package client may hold the lock for a while.
apt=(apt-get -q -y -o DPkg::Lock::Timeout=600 -o Acquire::Retries=3)
"${apt[@]}" update
"${apt[@]}" install --no-install-recommends "${missing[@]}"

mapfile -t missing < <(missing_packages)
if ((${#missing[@]} > 0)); then
  echo "setup-browsers: still not found: ${missing[*]}" >&2
  exit 1
fi
