"""An inventory (SBOM) of what is installed, as CycloneDX 1.6 JSON (https://cyclonedx.org/docs/1.6/json/).

The same packages give the same bytes: the time is the commit's, the serial number is made of the content.
"""

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from uuid import NAMESPACE_URL, uuid5

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.license import DisjunctiveLicense, License
from cyclonedx.output.json import JsonV1Dot6
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packageurl import PackageURL

from tools.release.packages import Package

OURS = "consilium"
_licences = LicenseFactory()


def inventory(
    subject: str, version: str, packages: Iterable[Package], at: datetime, *, image: str | None = None
) -> str:
    """The document about ``subject`` that holds ``packages``: the image with the id ``image``, or a Python environment.

    Raises ``ValueError`` when what comes out is not valid against the schema."""
    kind = ComponentType.APPLICATION if image is None else ComponentType.CONTAINER
    whole = Component(
        name=subject, version=version, type=kind, bom_ref="subject", licenses=[_licences.make_from_string("Apache-2.0")]
    )
    components = {package: _component(package) for package in sorted(packages, key=lambda package: package.key)}
    bom = Bom(components=components.values())
    bom.metadata.component = whole
    bom.metadata.timestamp = at.astimezone(UTC)
    bom.metadata.tools.components.add(Component(name="consilium tools.release", version=version, bom_ref="tool"))
    bom.register_dependency(whole, components.values())
    by_name = {(package.ecosystem, package.name): component for package, component in components.items()}
    by_key = {package.key: component for package, component in components.items()}
    for package, component in components.items():
        needs = (by_name.get((package.ecosystem, name)) for name in sorted(package.requires - {package.name}))
        inside = (by_key[key] for key in sorted(package.bundles))
        bom.register_dependency(component, [*(need for need in needs if need is not None), *inside])
    content = "\n".join(str(component.purl) for component in components.values())
    bom.serial_number = uuid5(NAMESPACE_URL, f"{subject} {version} {image} {content}")
    text = JsonV1Dot6(bom).output_as_string(indent=2) + "\n"
    wrong = objection(text)
    if wrong is not None:
        raise ValueError(f"the inventory of {subject} is not CycloneDX: {wrong}")
    return text


def objection(text: str) -> str | None:
    """Why ``text`` is not a valid CycloneDX 1.6 document; None where it is."""
    error = JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)
    return None if error is None else str(error)


def listed(text: str) -> list[tuple[str, str, str]]:
    """Package URL, version and licence of every component of a document, for people."""
    rows = []
    for component in json.loads(text).get("components", []):
        names = [
            entry.get("expression") or entry["license"].get("id") or entry["license"]["name"]
            for entry in component.get("licenses", [])
        ]
        rows.append((component["purl"].partition("@")[0], component["version"], ", ".join(names) or "not told"))
    return rows


def _component(package: Package) -> Component:
    qualifiers = {
        name: value
        for name, value in (
            ("arch", package.architecture),
            ("distro", package.distribution),
            ("upstream", package.source),
        )
        if value is not None
    }
    url = PackageURL(package.ecosystem, package.namespace, package.name, package.version, qualifiers)
    return Component(
        name=package.name,
        version=package.version,
        type=ComponentType.APPLICATION if package.ecosystem == "generic" else ComponentType.LIBRARY,
        purl=url,
        bom_ref=str(url),
        licenses=_licences_of(package),
    )


def _licences_of(package: Package) -> list[License]:
    if package.licence is not None:
        return [_licences.make_from_string(package.licence)]
    return [DisjunctiveLicense(name=text) for text in package.told]
