"""Custom resources against the fields that we use of them.

Their schemas come with their operators and in no package, so each table here was written from the operator's API
reference: what a kind may hold, and of which type. An unknown or misspelled field is a violation, because an API server
drops it silently.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from tests.deploy.k8s.rendering import Manifest, is_native

Fields = Mapping[str, Any]
"""Field -> its type, the set of its values, a table of its own fields, or a list of one of these. ``dict``: any map."""

_SECRET_KEY: Fields = {"name": str, "key": str}
_NAMED: Fields = {"name": str}
_SELECTOR: Fields = {"matchLabels": dict}
_MATCH: Fields = {"path": {"type": {"Exact", "PathPrefix"}, "value": str}}

KINDS: Mapping[tuple[str, str], Fields] = {
    # https://keda.sh/docs/latest/reference/scaledobject-spec/, .../scalers/rabbitmq-queue/
    ("keda.sh/v1alpha1", "ScaledObject"): {
        "scaleTargetRef": _NAMED,
        "pollingInterval": int,
        "minReplicaCount": int,
        "maxReplicaCount": int,
        "fallback": {"failureThreshold": int, "replicas": int},
        "triggers": [
            {
                "type": {"rabbitmq"},
                "metadata": {
                    "protocol": {"amqp"},
                    "queueName": str,
                    "mode": {"QueueLength"},
                    "value": str,
                },
                "authenticationRef": _NAMED,
            }
        ],
    },
    ("keda.sh/v1alpha1", "TriggerAuthentication"): {"secretTargetRef": [{"parameter": {"host"}, **_SECRET_KEY}]},
    # https://gateway-api.sigs.k8s.io/reference/spec/
    ("gateway.networking.k8s.io/v1", "Gateway"): {
        "gatewayClassName": str,
        "listeners": [
            {
                "name": str,
                "protocol": {"HTTPS"},
                "port": int,
                "tls": {"mode": {"Terminate"}, "certificateRefs": [_NAMED]},
                "allowedRoutes": {"namespaces": {"from": {"Same"}}},
            }
        ],
    },
    ("gateway.networking.k8s.io/v1", "HTTPRoute"): {
        "parentRefs": [_NAMED],
        "hostnames": [str],
        "rules": [{"backendRefs": [{"name": str, "port": int}], "matches": [_MATCH]}],
    },
    # https://prometheus-operator.dev/docs/api-reference/api/#monitoring.coreos.com/v1.PodMonitor
    ("monitoring.coreos.com/v1", "PodMonitor"): {
        "selector": _SELECTOR,
        "podMetricsEndpoints": [{"port": str, "path": str, "params": dict, "honorLabels": bool}],
    },
    # https://prometheus-operator.dev/docs/api-reference/api/#monitoring.coreos.com/v1.PrometheusRule
    ("monitoring.coreos.com/v1", "PrometheusRule"): {
        "groups": [
            {
                "name": str,
                "interval": str,
                "rules": [
                    {
                        "alert": str,
                        "record": str,
                        "expr": str,
                        "for": str,
                        "keep_firing_for": str,
                        "labels": dict,
                        "annotations": dict,
                    }
                ],
            }
        ]
    },
    # https://cloudnative-pg.io/documentation/current/cloudnative-pg.v1/
    ("postgresql.cnpg.io/v1", "Cluster"): {
        "instances": int,
        "imageName": str,
        "primaryUpdateStrategy": {"unsupervised", "supervised"},
        "inheritedMetadata": {"labels": dict},
        "storage": {"size": str},
        "walStorage": {"size": str},
        "resources": {"requests": dict, "limits": dict},
        "affinity": {
            "enablePodAntiAffinity": bool,
            "topologyKey": str,
            "podAntiAffinityType": {"required", "preferred"},
        },
        "postgresql": {
            # PostgreSQL's own parameters, always as text
            "parameters": dict,
            "synchronous": {"method": {"any", "first"}, "number": int, "dataDurability": {"required", "preferred"}},
        },
        "bootstrap": {"initdb": {"database": str, "owner": str, "dataChecksums": bool}},
        "managed": {"roles": [{"name": str, "ensure": {"present", "absent"}, "login": bool, "passwordSecret": _NAMED}]},
        "plugins": [{"name": str, "isWALArchiver": bool, "parameters": dict}],
    },
    ("postgresql.cnpg.io/v1", "Database"): {
        "name": str,
        "owner": str,
        "cluster": _NAMED,
        "databaseReclaimPolicy": {"retain", "delete"},
    },
    ("postgresql.cnpg.io/v1", "ScheduledBackup"): {
        "cluster": _NAMED,
        "schedule": str,
        "immediate": bool,
        "backupOwnerReference": {"none", "self", "cluster"},
        "method": {"plugin"},
        "pluginConfiguration": _NAMED,
    },
    # https://cloudnative-pg.io/plugin-barman-cloud/docs/usage/
    ("barmancloud.cnpg.io/v1", "ObjectStore"): {
        "retentionPolicy": str,
        "configuration": {
            "destinationPath": str,
            "endpointURL": str,
            "s3Credentials": {"accessKeyId": _SECRET_KEY, "secretAccessKey": _SECRET_KEY},
            "wal": {"compression": {"gzip", "bzip2", "snappy", "lz4", "xz", "zstd"}},
            "data": {"compression": {"gzip", "bzip2", "snappy"}},
        },
    },
    # https://github.com/rabbitmq/cluster-operator/wiki/API_Reference
    ("rabbitmq.com/v1beta1", "RabbitmqCluster"): {
        "replicas": int,
        "image": str,
        "persistence": {"storage": str, "storageClassName": str},
        "resources": {"requests": dict, "limits": dict},
        "rabbitmq": {"additionalConfig": str},
        "affinity": dict,
        "override": {"statefulSet": {"spec": {"template": {"spec": dict}}}},
    },
    # https://external-secrets.io/latest/api/externalsecret/
    ("external-secrets.io/v1", "ExternalSecret"): {
        "refreshInterval": str,
        "secretStoreRef": {"kind": {"SecretStore", "ClusterSecretStore"}, "name": str},
        "target": {"name": str, "template": {"type": str, "data": dict}},
        "data": [{"secretKey": str, "remoteRef": {"key": str, "property": str}}],
    },
}


def violations(manifests: list[Manifest]) -> Iterator[str]:
    """A sentence for each field that its kind does not have, and each value of another type."""
    for manifest in manifests:
        if is_native(manifest):
            continue
        name = f"{manifest['kind']} {manifest['metadata']['name']}"
        known = KINDS.get((manifest["apiVersion"], manifest["kind"]))
        if known is None:
            yield f"nothing is known of {name}"
            continue
        for key in manifest.keys() - {"apiVersion", "kind", "metadata", "spec"}:
            yield f"{name} has no {key}"
        yield from (f"{name}: {text}" for text in _mismatches(manifest["spec"], known, "spec"))
        if manifest["kind"] == "Cluster":
            for key, value in manifest["spec"]["postgresql"]["parameters"].items():
                if not isinstance(value, str):
                    yield f"{name}: parameter {key} is no text"


def _mismatches(value: Any, known: Any, path: str) -> Iterator[str]:
    if isinstance(known, Mapping):
        if not isinstance(value, dict):
            yield f"{path} is no object"
            return
        for key, inner in value.items():
            if key not in known:
                yield f"{path} has no field {key}"
            else:
                yield from _mismatches(inner, known[key], f"{path}.{key}")
    elif isinstance(known, list):
        if not isinstance(value, list):
            yield f"{path} is no list"
            return
        for inner in value:
            yield from _mismatches(inner, known[0], f"{path}[]")
    elif isinstance(known, set):
        if value not in known:
            yield f"{path} is none of {sorted(known)}"
    elif type(value) is not known:
        yield f"{path} is no {known.__name__}"
