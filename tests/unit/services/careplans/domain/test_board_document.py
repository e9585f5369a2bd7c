"""docs/plan-board.md says what the tables say."""

from pathlib import Path

from services.careplans.domain.board_document import render

DOCUMENT = Path(__file__).parents[5] / "docs" / "plan-board.md"


def test_the_document_is_up_to_date() -> None:
    assert DOCUMENT.read_text() == render()
