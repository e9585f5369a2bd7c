#!/bin/sh
# Makes sure that tests can check and try the alert rules with promtool. Where that is impossible it says so loudly;
# with CI=true it fails. Only the one program is taken out of Debian's package: no service, no user is made.
set -eu

command -v promtool >/dev/null 2>&1 && exit 0

from_debian() {
  command -v apt-get >/dev/null 2>&1 && command -v dpkg-deb >/dev/null 2>&1 || return 1
  if [ "$(id -u)" = 0 ]; then as_root=""; elif sudo -n true 2>/dev/null; then as_root="sudo"; else return 1; fi
  echo "Installing promtool for the tests." >&2
  folder=$(mktemp -d)
  chmod 755 "$folder"
  result=0
  { cd "$folder" && { apt-get download -qq prometheus || { $as_root apt-get update -qq &&
    apt-get download -qq prometheus; }; } && dpkg-deb --fsys-tarfile prometheus_*.deb | tar -x ./usr/bin/promtool &&
    $as_root install -m 755 usr/bin/promtool /usr/local/bin/promtool; } >/dev/null 2>&1 || result=$?
  rm -rf "$folder"
  return "$result"
}

from_debian && command -v promtool >/dev/null 2>&1 && exit 0

echo "########################################################################################" >&2
echo "## No promtool here and none can be installed: the alert rules will NOT be tried out.  ##" >&2
echo "########################################################################################" >&2
[ "${CI:-}" = true ] && exit 1
exit 0
