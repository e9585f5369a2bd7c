#!/bin/sh
# Makes sure that the bench has its load tool.
set -eu

command -v wrk >/dev/null 2>&1 && exit 0
if command -v apt-get >/dev/null 2>&1 && [ "$(id -u)" = 0 ]; then
  echo "Installing wrk for the bench." >&2
  apt-get update -qq >/dev/null 2>&1 || true
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends wrk >/dev/null 2>&1 || true
fi
command -v wrk >/dev/null 2>&1 && exit 0
echo "The bench needs wrk: install it (apt-get install wrk) and try again." >&2
exit 1
