"""The document of states cannot go stale."""

from pathlib import Path

from services.referrals.domain.document import render

DOCUMENT = Path(__file__).parents[4] / "docs" / "referral-states.md"


def test_the_document_is_what_the_tables_say() -> None:
    assert DOCUMENT.read_text(encoding="utf-8") == render(), "run: python -m services.referrals.domain.document"
