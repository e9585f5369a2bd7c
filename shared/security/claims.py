"""A token's claims and the ``Caller`` they make, both ways: sub, role, discipline, fhirUser, organization."""

import re
from collections.abc import Mapping
from typing import Any

from shared.errors import Unauthenticated
from shared.security.caller import OWN, Caller, Discipline, Role

_USER = re.compile(
    r"(?:Practitioner|PractitionerRole|Patient|RelatedPerson|Person|Organization|Device)/[A-Za-z0-9\-.]{1,64}", re.ASCII
)
_ROLES = {role.value: role for role in Role}
_DISCIPLINES = {discipline.value: discipline for discipline in Discipline}
_ORGANIZATION = re.compile(r"Organization/[A-Za-z0-9\-.]{1,64}", re.ASCII)


def claims_of(caller: Caller) -> dict[str, str]:
    """The claims that say who ``caller`` is."""
    claims = {
        "sub": caller.subject,
        "role": caller.role.value,
        "discipline": caller.discipline.value if caller.discipline else None,
        "fhirUser": caller.fhir_user,
        "organization": caller.organization,
    }
    return {name: value for name, value in claims.items() if value is not None}


def caller_of(claims: Mapping[str, Any]) -> Caller:
    """The caller of verified ``claims``. Raises ``Unauthenticated`` that names the claim at fault, not its value."""
    return Caller(
        subject=_subject(claims.get("sub")),
        role=_role(claims.get("role")),
        discipline=_discipline(claims.get("discipline")),
        fhir_user=_reference(claims, "fhirUser", _USER),
        organization=_reference(claims, "organization", _ORGANIZATION),
    )


def _subject(value: object) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= 255 or value.startswith(OWN):
        raise _wrong("sub")
    return value


def _role(value: object) -> Role:
    if not isinstance(value, str) or value not in _ROLES:
        raise _wrong("role")
    return _ROLES[value]


def _discipline(value: object) -> Discipline | None:
    if value is None:
        return None
    if not isinstance(value, str) or value not in _DISCIPLINES:
        raise _wrong("discipline")
    return _DISCIPLINES[value]


def _reference(claims: Mapping[str, Any], name: str, pattern: re.Pattern[str]) -> str | None:
    """A relative reference: an absolute one might name another server's user by the same id."""
    value = claims.get(name)
    if value is not None and (not isinstance(value, str) or not pattern.fullmatch(value)):
        raise _wrong(name)
    return value


def _wrong(claim: str) -> Unauthenticated:
    return Unauthenticated(f"The token's claim {claim} is missing or not one that counts here.")
