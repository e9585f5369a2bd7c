#!/bin/sh
# Builds all images, starts the core of docker-compose.yml, tells the demo's story, kills each container under load and
# looks whether anything was lost; prints times and sizes. Says so loudly, and succeeds, where there is no engine.
# Works in a compose project, on ports and with image tags of its own, and removes these again. KEEP=1 keeps them.
set -eu
root=$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd)
cd "$root"
bin=${UV_PROJECT_ENVIRONMENT:-.venv}/bin

skip() {
  echo "############################################################################" >&2
  echo "## compose-test SKIPPED: $1" >&2
  echo "############################################################################" >&2
  exit 0
}

command -v docker >/dev/null 2>&1 || skip "there is no docker command here."
docker info >/dev/null 2>&1 || skip "no container engine answers (docker info)."
docker compose version --short 2>/dev/null | grep -Eq '^v?([2-9]|[1-9][0-9])\.' || skip "docker compose v2 is not installed."

scratch=$(mktemp -d)
chmod 755 "$scratch"
export COMPOSE_PROJECT_NAME="consilium-test-$$" CONSILIUM_VERSION="test-$$" CONSILIUM_DATA_DIR="$scratch/data"
# one build after the other: each finds the layers of the one before
export COMPOSE_PARALLEL_LIMIT=1
docker buildx version >/dev/null 2>&1 || export DOCKER_BUILDKIT=0
ports=$("$bin/python" -c 'from tests.ports import free_ports; print(*free_ports(5))')
# shellcheck disable=SC2086 # five words
set -- $ports
export CONSILIUM_PORT="$1" POSTGRES_PORT="$2" AMQP_PORT="$3" RABBITMQ_PORT="$4" MAILPIT_PORT="$5"

clean() {
  code=$?
  trap - EXIT INT TERM
  if [ -z "${KEEP:-}" ]; then
    if [ "$code" != 0 ]; then docker compose ps --all >&2; docker compose logs --tail 40 >&2; fi
    docker compose down --volumes --timeout 5 >/dev/null 2>&1 || true
    for name in referrals careplans notifications gateway; do
      docker rmi "consilium/$name:$CONSILIUM_VERSION" >/dev/null 2>&1 || true
    done
    rm -rf "$scratch"
  fi
  exit "$code"
}
trap clean EXIT INT TERM

timed() { # TEXT COMMAND...
  text=$1
  shift
  began=$(date +%s)
  if ! "$@" >"$scratch/log" 2>&1; then
    tail -n 60 "$scratch/log" >&2
    echo "FAILED: $text" >&2
    return 1
  fi
  echo "$text: $(($(date +%s) - began)) s"
}

images() {
  sed -n 's/^ARG PYTHON_IMAGE=//p' Dockerfile
  docker compose config --images | grep -v '^consilium/' | sort -u
}

# shellcheck disable=SC2046 # one word per image
timed "images of others" deploy/docker/stand-ins.sh $(images)
for name in referrals careplans notifications gateway; do
  timed "build of $name" docker build --build-arg "SERVICE=$name" --tag "consilium/$name:$CONSILIUM_VERSION" .
done
docker images --format '{{.Repository}}:{{.Tag}} {{.Size}}' | grep "^consilium/.*:$CONSILIUM_VERSION "

timed "keys" "$bin/consilium" keys
timed "docker compose up --wait" docker compose up --wait
timed "demo" "$bin/consilium" demo --url "http://127.0.0.1:$CONSILIUM_PORT"
CONSILIUM_COMPOSE_TEST=1 "$bin/pytest" -s tests/deploy/test_compose_run.py
timed "docker compose down" docker compose down
