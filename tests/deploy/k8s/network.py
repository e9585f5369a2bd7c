"""NetworkPolicies worked out: may this pod open a connection to that one?

https://kubernetes.io/docs/concepts/services-networking/network-policies/: a pod that any policy selects is closed,
except for what some policy allows; both ends must allow. Outside is a namespace's labels, or an address."""

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from tests.deploy.k8s.rendering import Manifest
from tests.deploy.k8s.workloads import of_kind, selects


@dataclass(frozen=True)
class End:
    """One end of a connection: a pod here, a pod in another namespace, or an address."""

    labels: dict[str, str] = field(default_factory=dict)
    namespace: dict[str, str] | None = None
    """None: ours."""
    address: str | None = None
    ports: dict[str, int] = field(default_factory=dict)
    """Named container ports."""


def may_connect(manifests: list[Manifest], source: End, target: End, port: int) -> bool:
    """Whether all policies together allow it."""
    policies = of_kind(manifests, "NetworkPolicy")
    return all(
        own.namespace is not None or own.address is not None or _allowed(policies, direction, own, other, target, port)
        for direction, own, other in (("Egress", source, target), ("Ingress", target, source))
    )


def _allowed(policies: list[Manifest], direction: str, own: End, other: End, target: End, port: int) -> bool:
    mine = [
        policy["spec"]
        for policy in policies
        if direction in policy["spec"]["policyTypes"] and selects(policy["spec"]["podSelector"], own.labels)
    ]
    peers = {"Egress": "to", "Ingress": "from"}[direction]
    return not mine or any(
        any(_is(peer, other) for peer in rule[peers]) and any(_meets(one, target, port) for one in rule["ports"])
        for policy in mine
        for rule in policy.get(direction.lower(), [])
    )


def _is(peer: dict[str, Any], end: End) -> bool:
    if "ipBlock" in peer:
        block = peer["ipBlock"]
        return (
            end.address is not None
            and _within(end.address, block["cidr"])
            and not any(_within(end.address, one) for one in block.get("except", []))
        )
    if end.address is not None:
        return False
    if "namespaceSelector" in peer:
        if not selects(peer["namespaceSelector"], end.namespace or {}):
            return False
    elif end.namespace is not None:
        return False
    return selects(peer.get("podSelector", {}), end.labels)


def _within(address: str, block: str) -> bool:
    one, network = ipaddress.ip_address(address), ipaddress.ip_network(block)
    return one.version == network.version and one in network


def _meets(rule: dict[str, Any], target: End, port: int) -> bool:
    known = rule["port"]
    number = target.ports.get(known) if isinstance(known, str) else known
    return number is not None and number <= port <= rule.get("endPort", number)


def violations(manifests: list[Manifest]) -> Iterator[str]:
    """A sentence where pods are open to everybody: no policy for both directions that selects every pod."""
    closed = any(
        policy["spec"]["podSelector"] == {}
        and set(policy["spec"]["policyTypes"]) == {"Ingress", "Egress"}
        and not policy["spec"].get("ingress")
        and not policy["spec"].get("egress")
        for policy in of_kind(manifests, "NetworkPolicy")
    )
    if not closed:
        yield "no policy closes every pod"
    for policy in of_kind(manifests, "NetworkPolicy"):
        for direction, peers in (("egress", "to"), ("ingress", "from")):
            for rule in policy["spec"].get(direction, []):
                if not rule.get(peers) or not rule.get("ports"):
                    yield f"NetworkPolicy {policy['metadata']['name']} opens {direction} to everybody or for every port"
