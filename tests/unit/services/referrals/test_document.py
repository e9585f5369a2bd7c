"""The document of states cannot go stale."""

from pathlib import Path

from services.referrals.domain.diagram import diagram, order_diagram
from services.referrals.domain.document import render
from services.referrals.domain.order import ORDER_TRANSITIONS
from services.referrals.domain.transitions import HARMONIZED

DOCUMENT = Path(__file__).parents[4] / "docs" / "referral-states.md"


def test_the_document_is_what_the_tables_say() -> None:
    assert DOCUMENT.read_text(encoding="utf-8") == render(), "run: python -m services.referrals.domain.document"


def test_the_diagrams_have_every_step_and_every_end() -> None:
    drawn = diagram(HARMONIZED)
    assert drawn.count(" : ") == len(HARMONIZED)
    assert "s_received_2_0 --> s_accepted_3_0 : recipient, Send Acceptance" in drawn
    ends = {line.strip() for line in drawn.splitlines() if line.endswith("--> [*]")}
    assert ends == {f"s_{state} --> [*]" for state in ("rejected_4_0", "cancelled_6_0", "completed_7_0")}
    steps = order_diagram(ORDER_TRANSITIONS)
    assert steps.count(" --> ") == sum(len(goals) for goals in ORDER_TRANSITIONS.values())
