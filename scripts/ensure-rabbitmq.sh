#!/bin/sh
# Makes sure that tests can start a real RabbitMQ. Where that is impossible it says so loudly; with CI=true it fails.
set -eu

installed() {
  for server in /usr/lib/rabbitmq/bin/rabbitmq-server /usr/local/sbin/rabbitmq-server /usr/sbin/rabbitmq-server; do
    [ -x "$server" ] && return 0
  done
  command -v rabbitmq-server >/dev/null 2>&1
}

from_debian() {
  command -v apt-get >/dev/null 2>&1 || return 1
  if [ "$(id -u)" = 0 ]; then as_root=""; elif sudo -n true 2>/dev/null; then as_root="sudo"; else return 1; fi
  echo "Installing rabbitmq-server for the tests." >&2
  # 101 tells Debian's scripts not to start the packaged service: the tests start their own broker on a free port.
  policy=/usr/sbin/policy-rc.d
  made=no
  if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' | $as_root tee "$policy" >/dev/null && $as_root chmod 755 "$policy" && made=yes
  fi
  result=0
  { $as_root apt-get update -qq && $as_root env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -qq --no-install-recommends rabbitmq-server; } >/dev/null 2>&1 || result=$?
  [ "$made" = yes ] && $as_root rm -f "$policy"
  return "$result"
}

[ -n "${CONSILIUM_AMQP_URL:-}" ] && exit 0
installed && exit 0
from_debian && installed && exit 0

echo "########################################################################################" >&2
echo "## No RabbitMQ here and none can be installed: tests marked 'rabbitmq' will be SKIPPED. ##" >&2
echo "## Install rabbitmq-server, or set CONSILIUM_AMQP_URL, to run all of them.              ##" >&2
echo "########################################################################################" >&2
[ "${CI:-}" = true ] && exit 1
exit 0
