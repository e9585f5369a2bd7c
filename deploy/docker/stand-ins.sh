#!/bin/sh
# Makes sure that the named images are on this machine: what is here stays, what can be pulled is pulled, and for the rest
# a stand-in is made under the same tag from Debian packages (debootstrap, docker import; needs root). For trying and for
# tests where no registry can be reached; never for production.
# Usage: deploy/docker/stand-ins.sh IMAGE...      CONSILIUM_PULL=never does not try to pull.
set -eu
here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)
base=consilium-stand-in/debian:bookworm
authorities=/etc/ssl/certs/ca-certificates.crt
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT INT TERM

say() { printf '%s\n' "$*" >&2; }

here_already() { docker image inspect "$1" >/dev/null 2>&1; }

pulled() { [ "${CONSILIUM_PULL:-}" != never ] && timeout 600 docker pull --quiet "$1" >/dev/null 2>&1; }

make_base() {
  here_already "$base" && return 0
  command -v debootstrap >/dev/null 2>&1 || { say "A stand-in needs debootstrap: apt-get install debootstrap."; return 1; }
  [ "$(id -u)" = 0 ] || { say "A stand-in needs root for debootstrap."; return 1; }
  say "Making a Debian base image with debootstrap."
  debootstrap --variant=minbase --include=ca-certificates bookworm "$scratch/debian" >"$scratch/debootstrap.log" 2>&1 ||
    { tail -n 20 "$scratch/debootstrap.log" >&2; return 1; }
  # the authorities that this machine trusts: a proxy's may be among them
  [ ! -r "$authorities" ] || cp "$authorities" "$scratch/debian$authorities"
  rm -rf "$scratch"/debian/var/cache/apt/archives/*.deb "$scratch"/debian/usr/share/doc "$scratch"/debian/usr/share/locale
  tar -C "$scratch/debian" -c . | docker import \
    --change "ENV SSL_CERT_FILE=$authorities PIP_CERT=$authorities REQUESTS_CA_BUNDLE=$authorities" \
    --change "LABEL consilium.stand-in=true" - "$base" >/dev/null
}

# A whole CPython 3.12 is on Maven Central; where Maven is not at hand, Debian's 3.11 stands in for it.
fetch_python() {
  version=3.12.1-1.5.10
  command -v mvn >/dev/null 2>&1 && command -v unzip >/dev/null 2>&1 || return 0
  mvn -q -B dependency:get "-Dmaven.repo.local=$scratch/maven" -Dtransitive=false \
    "-Dartifact=org.bytedeco:cpython:$version:jar:linux-$(uname -m)" >/dev/null 2>&1 || return 0
  unzip -q "$(find "$scratch/maven" -name "cpython-$version-linux-*.jar")" 'org/bytedeco/cpython/linux-*/*' \
    -d "$scratch/jar" || return 0
  mv "$scratch"/jar/org/bytedeco/cpython/linux-* "$1/cpython"
}

make() {
  name=$(basename "${1%%:*}")
  [ -f "$here/stand-ins/$name/Dockerfile" ] || { say "$1 cannot be pulled and has no stand-in."; return 1; }
  make_base || return 1
  say "Making a stand-in for $1."
  cp -R "$here/stand-ins/$name" "$scratch/$name"
  [ "$name" != python ] || fetch_python "$scratch/$name"
  DOCKER_BUILDKIT=0 docker build --quiet --build-arg "BASE=$base" --label consilium.stand-in=true --tag "$1" \
    "$scratch/$name" >/dev/null
}

[ $# -gt 0 ] || { say "Usage: $0 IMAGE..."; exit 2; }
for image in "$@"; do
  here_already "$image" || pulled "$image" || make "$image"
done
