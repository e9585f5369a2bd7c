#!/bin/sh
# Makes the namespace's Secrets with random passwords, and the ConfigMap of token keys, where they are not there yet.
set -eu
root=$(CDPATH= cd -- "$(dirname -- "$0")/../../../.." && pwd)
keys="${CONSILIUM_DATA_DIR:-$root/.consilium}/keys/jwks.json"

kube() { kubectl --namespace consilium "$@"; }
missing() { ! kube get "$1" "$2" >/dev/null 2>&1; }
# hexadecimal, so that it needs no escapes in a URL
random() { od -An -N24 -tx1 /dev/urandom | tr -d ' \n'; }
secret() {
  name=$1 && shift
  missing secret "$name" && kube create secret generic "$name" "$@"
  return 0
}

kubectl apply -f "$root/deploy/k8s/base/namespace.yaml"
# one user for all here, so one password; in production each service has its own
databases="postgres-superuser referrals-database careplans-database notifications-database"
password=
for name in $databases; do
  # an interrupted run may have made only some of them
  if [ -z "$password" ] && ! missing secret "$name"; then
    password=$(kube get --output=jsonpath='{.data.password}' secret "$name" | base64 -d)
  fi
done
password=${password:-$(random)}
for name in $databases; do
  secret "$name" --type=kubernetes.io/basic-auth --from-literal=username=consilium --from-literal=password="$password"
done
password=$(random)
secret rabbitmq-default-user --from-literal=username=consilium --from-literal=password="$password" \
  --from-literal=connection_string="amqp://consilium:$password@rabbitmq:5672/"
secret consilium-peers --from-literal=key="$(random)"
if missing configmap token-keys; then
  [ -f "$keys" ] || { echo "No $keys yet: make it with 'consilium keys'." >&2; exit 1; }
  kube create configmap token-keys --from-file=jwks.json="$keys"
fi
