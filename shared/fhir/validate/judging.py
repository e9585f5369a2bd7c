"""All that is found in one resource: R4, the profiles asked for, the profiles that it claims.

http://hl7.org/fhir/R4/validation.html, http://hl7.org/fhir/R4/resource.html#profile-tags. Pure, and long for a large
resource; the findings are those of ``check`` and of ``check_profile``.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from shared.errors import ConsiliumError, Issue
from shared.fhir.json import Resource
from shared.fhir.validate.check import check
from shared.fhir.validate.profiles import Scope, Visit, check_profile, known
from shared.fhir.validate.walk import ABOVE, MOST_ISSUES, Place

MOST_PROFILES = 20
"""Profiles that are checked of one resource; what claims more is told so."""
_BASE = "http://hl7.org/fhir/StructureDefinition/"
_BUNDLE: Place = (ABOVE, "Bundle", -1, 1)


def judged(resource: Resource, profiles: Iterable[str] = ()) -> list[Issue]:
    """What is found in ``resource``, by R4, by ``profiles`` (canonical URLs) and by those in ``meta.profile``.

    A profile that was asked for and is not known is an error, one that is claimed a warning. The resources in a Bundle
    are held to what they claim themselves."""
    issues = list(_of_r4(resource))
    asked = list(dict.fromkeys(profiles))
    if any(issue.code in ("structure", "too-costly") for issue in issues):
        if asked or _claims(resource):
            issues.append(
                Issue("informational", "Not checked against profiles: this is no R4.", severity="information")
            )
        return issues
    entries = _entries(resource)
    visit = Visit(Scope(resource, entries))
    _check(resource, asked, visit, ABOVE, resource["resourceType"])
    if resource["resourceType"] == "Bundle":
        for number, entry in enumerate(resource.get("entry", ())):
            if "resource" in entry:
                visit.scope = Scope(entry["resource"], entries)
                _check(entry["resource"], [], visit, (_BUNDLE, "entry", number, 2), "resource")
    return (issues + visit.issues)[:MOST_ISSUES]


def _of_r4(resource: Resource) -> tuple[Issue, ...]:
    try:
        check(resource)
    except ConsiliumError as refused:
        return refused.issues
    return ()


def _check(resource: Resource, asked: list[str], visit: Visit, place: Place, label: str) -> None:
    """One resource against what was asked for and what it claims."""
    type_ = resource["resourceType"]
    wanted: dict[str, None] = {}
    for canonical in asked:
        if not _taken(canonical, type_, wanted):
            visit.profile = "profile"
            text = "it was asked for and is not known here; the CapabilityStatement lists those that are."
            visit.report("not-supported", text, place, label)
    for number, canonical in enumerate(_claims(resource)):
        if not _taken(canonical, type_, wanted):
            visit.profile = "meta.profile"
            text = "a profile that is claimed is not known here."
            visit.report("not-supported", text, place, f"{label}.meta.profile", number, severity="warning")
    for url in list(wanted)[:MOST_PROFILES]:
        check_profile(resource, url, visit, place, label)
    if len(wanted) > MOST_PROFILES:
        visit.profile = "meta.profile"
        visit.not_checked(f"more than {MOST_PROFILES} profiles", place, label)


def _taken(canonical: str, type_: str, wanted: dict[str, None]) -> bool:
    """Put a profile on the list; whether it is known. R4's own definition of the type is, and was checked already."""
    url = known(canonical)
    if url is None:
        return canonical.partition("|")[0] in (_BASE + type_, _BASE + "DomainResource", _BASE + "Resource")
    wanted[url] = None
    return True


def _claims(resource: Any) -> list[str]:
    """``meta.profile``, of what may be no resource at all."""
    meta = resource.get("meta") if isinstance(resource, dict) else None
    listed = meta.get("profile") if isinstance(meta, dict) else None
    return [each for each in listed if isinstance(each, str)] if isinstance(listed, list) else []


def _entries(resource: Resource) -> dict[str, Resource]:
    """The resources of a Bundle by fullUrl and by Type/id; the first one of several with the same counts."""
    found: dict[str, Resource] = {}
    if resource["resourceType"] == "Bundle":
        for entry in resource.get("entry", ()):
            for name in _names(entry):
                found.setdefault(name, entry["resource"])
    return found


def _names(entry: dict[str, Any]) -> Iterator[str]:
    inner = entry.get("resource")
    if inner is not None:
        if "fullUrl" in entry:
            yield entry["fullUrl"]
        if "id" in inner:
            yield f"{inner['resourceType']}/{inner['id']}"
