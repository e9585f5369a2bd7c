"""Languages as BCP 47 has them (http://hl7.org/fhir/R4/valueset-languages.html): regions make no difference."""

from collections.abc import Iterable, Mapping
from typing import Any

from services.referrals.domain.extensions import listed
from services.referrals.domain.references import codings


def primary(tag: str) -> str:
    """``es`` of ``es-MX``; case does not matter."""
    return tag.replace("_", "-").partition("-")[0].strip().lower()


def spoken(concepts: Any) -> frozenset[str]:
    """The languages that codes of CodeableConcepts name; whatever system they name, codes of languages are BCP 47."""
    return frozenset(filter(None, (primary(code) for _, code in codings(concepts))))


def preferred(patient: Mapping[str, Any]) -> tuple[str, ...]:
    """The languages of a Patient, the preferred ones alone where some are."""
    communication = listed(patient, "communication")
    chosen = [each for each in communication if each.get("preferred") is True] or communication
    found = (language for each in chosen for language in sorted(spoken(each.get("language"))))
    return tuple(dict.fromkeys(found))


def shared(offered: Iterable[str], wanted: Iterable[str]) -> str | None:
    """The first of ``wanted`` that is ``offered``."""
    known = {primary(tag) for tag in offered}
    return next((tag for tag in map(primary, wanted) if tag in known), None)
