"""The lists of shared plans that people work through, as data: which plans are on each, and in which order."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from services.careplans.domain.safety.issues import State, state_of
from services.careplans.domain.standing import Gap, Standing
from shared.fhir.json import Resource


class Listing(StrEnum):
    """The name of a list of plans."""

    BOARD = "board"
    REVIEWS_DUE = "reviews-due"
    GAPS = "gaps"
    STALE = "stale"
    FLAGGED = "flagged"


@dataclass(frozen=True, slots=True)
class Shape:
    """What is on a list: plans whose ``moment`` has come, or that have a flag; the oldest moment first."""

    says: str
    moment: str = "next_review_at"
    due: bool = True
    flagged: bool = False


SHAPES: Mapping[Listing, Shape] = {
    Listing.BOARD: Shape("Every shared plan that has not ended; the next review first.", due=False),
    Listing.REVIEWS_DUE: Shape("Whose next review is due."),
    Listing.GAPS: Shape("Which lack something; for the longest time first.", "gap_at"),
    Listing.STALE: Shape("Of which a section was not touched for too long; the longest first.", "stale_at"),
    Listing.FLAGGED: Shape(
        "With a flag: an answer about self-harm, a step up, a deterioration.", due=False, flagged=True
    ),
}


def gaps_at(standing: Standing, now: datetime) -> tuple[str, ...]:
    """What the plan lacks at ``now``."""
    return standing.gaps + ((Gap.NOT_MEASURED.value,) if standing.unmeasured_at <= now else ())


def is_open_issue(issue: Resource) -> bool:
    """Whether a DetectedIssue still asks for something: by the state that the safety rules give it; one of others,
    where nobody has said what was done, and it is no mistake."""
    if issue.get("status") in ("cancelled", "entered-in-error"):
        return False
    state = state_of(issue)
    return not issue.get("mitigation") if state is None else state is State.OPEN
