#!/bin/sh
# Makes sure of a Chromium for the tests in a real browser, before they run (install), and says
# after them what was not tested without one (report). REQUIRE_BROWSER=1 makes that a failure.
set -u

has_browser() {
  for name in chromium chromium-browser google-chrome google-chrome-stable; do
    command -v "$name" >/dev/null 2>&1 && return 0
  done
  return 1
}

install_browser() {
  [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1 || return 1
  echo "No Chromium here: installing Debian's, for the tests in a real browser."
  export DEBIAN_FRONTEND=noninteractive
  get="apt-get install --yes --quiet --quiet --no-install-recommends chromium"
  $get >/dev/null 2>&1 || { apt-get update --quiet --quiet >/dev/null 2>&1 && $get >/dev/null; }
}

complain() {
  echo "*******************************************************************************"
  echo "NOT TESTED: the loop in a real browser (tests/browser), because there is no Chromium."
  echo "To test it: apt install chromium (or google-chrome), then run make test again."
  echo "*******************************************************************************"
}

has_browser && exit 0
[ "$1" = install ] && install_browser && has_browser && exit 0
[ "$1" = report ] || [ "${REQUIRE_BROWSER:-}" = 1 ] && complain
[ "${REQUIRE_BROWSER:-}" != 1 ]
