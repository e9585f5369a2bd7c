#!/bin/sh
# Runs uv with the given arguments; where the machine has none, installs it into .venv-uv first.
# Works with an externally managed Python (PEP 668), and without the venv module or pip where apt-get can bring them.
set -eu
root=$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd)
private="$root/.venv-uv"

say() { printf '%s\n' "$*" >&2; }

find_uv() {
  for candidate in "${UV_BIN:-}" "$(command -v uv 2>/dev/null || true)" "$private/bin/uv" \
    "${HOME:-/nonexistent}/.local/bin/uv" "${HOME:-/nonexistent}/.cargo/bin/uv"; do
    if [ -n "$candidate" ] && "$candidate" --version >/dev/null 2>&1; then
      printf '%s\n' "$candidate"
      return 0
    fi
  done
  return 1
}

install_uv() {
  command -v python3 >/dev/null 2>&1 || return 1
  # 1. a private virtual environment  2. pip into a private folder, which PEP 668 allows
  rm -rf "$private"
  if python3 -m venv "$private" >/dev/null 2>&1 && "$private/bin/python" -m pip install --quiet uv >&2; then return 0; fi
  rm -rf "$private"
  if python3 -m pip --version >/dev/null 2>&1 && python3 -m pip install --quiet --target "$private" uv >&2; then return 0; fi
  rm -rf "$private"
  return 1
}

install_venv_module() {
  [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1 || return 1
  say "Installing python3-venv to get uv."
  apt-get update -qq >&2 && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
    python3 python3-venv python3-pip >&2
}

if ! uv=$(find_uv); then
  say "uv is not on this machine; installing it into .venv-uv."
  install_uv || { install_venv_module && install_uv; } || {
    say "uv cannot be installed here. It needs python3 with venv or pip, or see https://docs.astral.sh/uv/ and put uv on the PATH."
    exit 1
  }
  uv=$(find_uv) || { say "uv was installed into .venv-uv but does not run on this machine."; exit 1; }
fi
exec "$uv" "$@"
