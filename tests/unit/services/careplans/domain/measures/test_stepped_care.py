"""What repeated scores propose, and when to look again."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from services.careplans.domain.measures.catalogue import BY_ID
from services.careplans.domain.measures.series import Series
from services.careplans.domain.measures.stepped_care import Reason, Step, proposal
from tests.unit.services.careplans.domain.measures.test_response import of


@pytest.mark.parametrize(
    ("measure", "values", "target", "step", "reason"),
    [
        ("phq-9", [18, 18], None, Step.UP, Reason.MISSED),
        ("phq-9", [18, 14], None, Step.UP, Reason.MISSED),
        ("phq-9", [18, 13], None, Step.HOLD, Reason.MISSED_BUT_IMPROVING),
        ("phq-9", [18, 13, 12], None, Step.UP, Reason.MISSED),
        ("phq-9", [13, 18], None, Step.UP, Reason.MISSED),
        ("phq-9", [5, 5], None, Step.UP, Reason.MISSED),
        ("phq-9", [4, 5], None, Step.HOLD, Reason.MIXED),
        ("phq-9", [5, 4], None, Step.HOLD, Reason.MIXED),
        ("phq-9", [4, 4], None, Step.DOWN, Reason.KEPT),
        ("phq-9", [18], None, Step.HOLD, Reason.TOO_FEW_SCORES),
        ("peg", [8, 8], None, Step.HOLD, Reason.NO_TARGET),
        ("peg", [8, 8], "4", Step.UP, Reason.MISSED),
        ("peg", [4, 4], "4", Step.DOWN, Reason.KEPT),
        ("promis-29-physical-function", [40, 41], "45", Step.UP, Reason.MISSED),
        ("promis-29-physical-function", [45, 46], "45", Step.DOWN, Reason.KEPT),
    ],
)
def test_scores_against_a_target_propose_a_step(
    measure: str, values: list[Any], target: str | None, step: Step, reason: Reason
) -> None:
    found = proposal(of(measure, *values), Decimal(target) if target else None)
    assert (found.step, found.reason) == (step, reason)


def test_more_scores_in_a_row_can_be_asked_for() -> None:
    scores = of("phq-9", 4, 18, 18)
    assert proposal(scores).step is Step.UP
    assert proposal(scores, consecutive=3).reason is Reason.MIXED
    assert proposal(scores, consecutive=4).reason is Reason.TOO_FEW_SCORES
    with pytest.raises(ValueError, match="At least one"):
        proposal(scores, consecutive=0)


def test_a_proposal_says_what_it_looked_at_and_what_it_lacks() -> None:
    found = proposal(of("phq-9", 20, 19, 18))
    assert found.looked_at == ("Observation/o2", "Observation/o3")
    assert (found.target, str(found.target_source)) == (4, "Kroenke et al., J Gen Intern Med 16:606 (2001), unverified")
    assert (found.rule, found.version, found.missing) == ("stepped-care", "1", ())
    assert proposal(of("peg", 8)).missing == ("target", "scores")
    assert proposal(of("phq-9", 20, 19), Decimal(9)).target_source is None, "it is the patient's own"


@pytest.mark.parametrize(
    ("values", "due"),
    [
        ([18, 18], datetime(2025, 3, 1, tzinfo=UTC)),  # four weeks after 1 February
        ([4, 4], datetime(2025, 4, 26, tzinfo=UTC)),  # twelve weeks
        ([18, 4], datetime(2025, 4, 26, tzinfo=UTC)),
        ([4, 5], datetime(2025, 3, 1, tzinfo=UTC)),
    ],
)
def test_the_next_review_is_sooner_while_the_target_is_missed(values: list[int], due: datetime) -> None:
    assert proposal(of("phq-9", *values)).review_due == due


def test_without_a_score_nothing_is_due() -> None:
    found = proposal(Series(BY_ID["phq-9"], ()))
    assert (found.step, found.reason, found.review_due) == (Step.HOLD, Reason.NO_SCORE, None)
