"""The documents name what exists."""

import re
from dataclasses import MISSING, fields
from pathlib import Path

import pytest

from shared.service import Binding, Service

PROJECT = Path(__file__).parents[2]
DOCS = sorted((PROJECT / "docs").rglob("*.md"))
OURS = re.compile(r"`((?:shared|services|consilium|tests|tools|docs|deploy|bench|scripts)/[\w./-]*)`")


@pytest.mark.parametrize("document", DOCS, ids=lambda path: path.name)
def test_every_path_in_a_document_exists(document: Path) -> None:
    named = OURS.findall(document.read_text())
    assert [path for path in named if not ((PROJECT / path).exists() or (PROJECT / f"{path}.py").exists())] == []


def test_the_example_of_a_service_uses_fields_that_a_service_has() -> None:
    text = (PROJECT / "docs" / "adding-a-service.md").read_text()
    example = text.partition("SERVICE = Service(")[2].partition("\n)")[0]
    used = set(re.findall(r"^    (\w+)=", example, re.MULTILINE))
    assert used <= {field.name for field in fields(Service)}
    needed = [field.name for field in fields(Binding) if field.default is MISSING]
    (told,) = re.findall(r"Binding\((.*)\),\)", example)
    assert len(re.findall(r"\([^()]*\)|[^,()\s]+", told)) == len(needed)


def test_every_decision_says_why_and_what_else_there_was() -> None:
    for decision in (PROJECT / "docs" / "adr").glob("*.md"):
        text = decision.read_text()
        assert all(f"## {part}" in text for part in ("Context", "Decision", "Alternatives considered", "Consequences"))
