"""The document of clocks cannot go stale."""

from pathlib import Path

from services.referrals.domain.clock_document import render
from services.referrals.domain.milestones import FURTHEST, WAITS

DOCUMENT = Path(__file__).parents[4] / "docs" / "referral-clocks.md"


def test_the_document_is_what_the_tables_say() -> None:
    assert DOCUMENT.read_text(encoding="utf-8") == render(), "run: python -m services.referrals.domain.clock_document"


def test_every_state_that_is_waited_in_has_its_row() -> None:
    assert set(WAITS) <= set(FURTHEST)
