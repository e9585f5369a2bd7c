"""``docs/safety-rules.md`` says what the tables say."""

from pathlib import Path

from services.careplans.domain.safety.document import render

DOCUMENT = Path(__file__).parents[6] / "docs" / "safety-rules.md"


def test_the_document_is_up_to_date() -> None:
    assert DOCUMENT.read_text() == render()
