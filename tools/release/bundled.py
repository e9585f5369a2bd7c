"""What is compiled into wheels, as they say themselves (https://peps.python.org/pep-0770/): crates, OpenSSL ..."""

import json
import re
from typing import Any

from packageurl import PackageURL

from tools.release.licences import of_bundled

INVENTORY = re.compile(r"(?P<package>[^/]+\.dist-info)/sboms/[^/]+\.json$")

Bundled = tuple[PackageURL, str | None, tuple[str, ...]]
"""A component's package URL, the SPDX expression of its licence if known, and what the inventory says about that."""


def components(content: bytes) -> list[Bundled]:
    """The components in one CycloneDX document of a wheel, without the wheel itself; nothing from other formats."""
    try:
        document = json.loads(content)
    except ValueError:
        return []
    found = []
    for component in document.get("components", ()) if isinstance(document, dict) else ():
        if "purl" in component and "version" in component:
            url = PackageURL.from_string(component["purl"])
            if url.type != "pypi":
                plain = PackageURL(url.type, url.namespace, url.name, component["version"])
                told = _told(component)
                found.append((plain, of_bundled(url.name, told), told))
    return found


def _told(component: dict[str, Any]) -> tuple[str, ...]:
    names = []
    for entry in component.get("licenses", ()):
        licence = entry.get("license", {})
        names.append(entry.get("expression") or licence.get("id") or licence.get("name"))
    return tuple(name for name in names if name)
