"""What a person did with a card (https://cds-hooks.hl7.org/2.0/#feedback)."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from services.careplans.domain.hooks.cards import OVERRIDE_SYSTEM, OVERRIDES
from services.careplans.domain.hooks.request import ID
from services.careplans.domain.safety.answering import LONGEST_REASON
from services.careplans.domain.safety.reading import child, string
from shared.errors import Invalid
from shared.fhir.json import Resource

MOST = 100


@dataclass(frozen=True, slots=True)
class Overridden:
    """A card that somebody dismissed, and why."""

    card: str
    reason: str


def overridden(body: Any) -> list[Overridden]:
    """The cards that were overridden for a reason, each once. Raises ``Invalid`` with a path for what is unreadable."""
    entries = body.get("feedback") if isinstance(body, dict) else None
    if not isinstance(entries, list) or not entries or len(entries) > MOST:
        raise Invalid(f"A list of 1 to {MOST} is required.", code="required", expression=("feedback",))
    found = {each.card: each for each in _read(entries)}
    return [found[card] for card in sorted(found)]


def _read(entries: list[Any]) -> Iterator[Overridden]:
    for place, entry in enumerate(entries):
        path = f"feedback[{place}]"
        card = string(entry, "card") if isinstance(entry, dict) else None
        if card is None or not ID.fullmatch(card):
            raise Invalid("The card's uuid is required.", code="required", expression=(f"{path}.card",))
        outcome = entry.get("outcome")
        if outcome not in ("accepted", "overridden"):
            raise Invalid("accepted or overridden is expected.", code="value", expression=(f"{path}.outcome",))
        reason = _reason(child(entry, "overrideReason"))
        if outcome == "overridden" and reason is not None:
            yield Overridden(card, reason)


def _reason(given: Resource) -> str | None:
    coding = child(given, "reason")
    code = string(coding, "code")
    known = OVERRIDES.get(code or "") if string(coding, "system") in (OVERRIDE_SYSTEM, None) else None
    said = [each for each in (known or string(coding, "display") or code, string(given, "userComment")) if each]
    return f"Overridden in the EHR: {'. '.join(said)}"[:LONGEST_REASON] if said else None
