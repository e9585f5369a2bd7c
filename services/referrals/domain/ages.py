"""Whom a service takes, by age (http://hl7.org/fhir/R4/healthcareservice-definitions.html#HealthcareService.eligibility)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from services.referrals.domain import extensions
from services.referrals.domain.extensions import extended, listed, number
from services.referrals.domain.references import codings


@dataclass(frozen=True, slots=True)
class AgeRange:
    """Whole years, both included; None is open."""

    youngest: int | None
    oldest: int | None


AGE_GROUPS: Mapping[str, AgeRange] = {
    "children": AgeRange(None, 11),
    "adolescents": AgeRange(12, 17),
    "adults": AgeRange(18, 64),
    "older-adults": AgeRange(65, None),
}
"""The codes of ``extensions.AGE_GROUPS``, for ``HealthcareService.eligibility.code``."""


def ages_of(resource: Mapping[str, Any]) -> tuple[AgeRange, ...]:
    """The ages that a service or role takes; none stated is all."""
    ranges = [_range(value) for value in extended(resource, extensions.AGE_RANGE, "valueRange")]
    codes = (key for each in listed(resource, "eligibility") for key in codings(each.get("code")))
    ranges += [AGE_GROUPS.get(code) for system, code in codes if system == extensions.AGE_GROUPS]
    return tuple(dict.fromkeys(each for each in ranges if each is not None))


def takes(ages: Iterable[AgeRange], age: int) -> bool:
    """Whether somebody of ``age`` is taken."""
    return any((each.youngest or 0) <= age and (each.oldest is None or age <= each.oldest) for each in ages)


def _range(value: Any) -> AgeRange | None:
    low, high = ((number(each.get("value")) for each in listed(value, end)) for end in ("low", "high"))
    youngest, oldest = next(low, None), next(high, None)
    if youngest is None and oldest is None:
        return None
    return AgeRange(None if youngest is None else int(youngest), None if oldest is None else int(oldest))
