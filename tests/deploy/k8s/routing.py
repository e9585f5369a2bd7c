"""Where a request goes, by the rules of Ingress and of HTTPRoute: exact before prefix, the longest prefix wins."""

from tests.deploy.k8s.rendering import Manifest


def destination(manifest: Manifest, path: str) -> str:
    """The Service behind ``path`` (without query)."""
    table = _ingress(manifest) if manifest["kind"] == "Ingress" else _route(manifest)
    exact = [service for kind, value, service in table if kind != "Prefix" and value == path]
    if exact:
        return exact[0]
    prefixes = [(len(value), service) for kind, value, service in table if kind == "Prefix" and _begins(path, value)]
    return max(prefixes)[1]


def _begins(path: str, prefix: str) -> bool:
    """By whole segments; a trailing slash of the prefix does not count."""
    bare = prefix.rstrip("/")
    return path == bare or path.startswith(f"{bare}/")


def _ingress(manifest: Manifest) -> list[tuple[str, str, str]]:
    return [
        (path["pathType"], path["path"], path["backend"]["service"]["name"])
        for rule in manifest["spec"]["rules"]
        for path in rule["http"]["paths"]
    ]


def _route(manifest: Manifest) -> list[tuple[str, str, str]]:
    return [
        (match["path"]["type"].removeprefix("Path"), match["path"]["value"], rule["backendRefs"][0]["name"])
        for rule in manifest["spec"]["rules"]
        for match in rule["matches"]
    ]
