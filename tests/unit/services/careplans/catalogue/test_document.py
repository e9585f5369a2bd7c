"""The document of the catalogue cannot go stale."""

from pathlib import Path

from services.careplans.catalogue.document import render

DOCUMENT = Path(__file__).parents[5] / "docs" / "treatment-catalogue.md"


def test_the_document_is_what_the_sources_say() -> None:
    assert DOCUMENT.read_text(encoding="utf-8") == render(), "run: python -m services.careplans.catalogue.document"


def test_every_table_row_has_as_many_cells_as_its_head() -> None:
    columns = 0
    for line in render().splitlines():
        if line.startswith("|---"):
            columns = line.count("|")
        elif line.startswith("| ") and columns:
            assert line.replace("\\|", "").count("|") == columns, line
        elif not line:
            columns = 0
