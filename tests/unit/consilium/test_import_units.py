"""What files hold, and what is no FHIR."""

import json
from pathlib import Path
from typing import Any

import pytest

from consilium.importing.units import LINES_PER_UNIT, Unit, Unreadable, read, type_of, units_of

PATIENT = {"resourceType": "Patient", "id": "p"}
PUT = {"resource": PATIENT, "request": {"method": "PUT", "url": "Patient/p"}}


def bundle(type_: str, *entries: Any) -> dict[str, Any]:
    """A Bundle."""
    return {"resourceType": "Bundle", "type": type_, "entry": list(entries)}


@pytest.mark.parametrize(
    ("content", "atomic", "requests"),
    [
        (bundle("transaction", PUT), True, ["PUT Patient/p"]),
        (bundle("batch", PUT, PUT), False, ["PUT Patient/p", "PUT Patient/p"]),
        (bundle("collection", {"resource": PATIENT}), True, ["PUT Patient/p"]),
        (bundle("searchset", {"resource": {"resourceType": "Patient"}}), True, ["POST Patient"]),
        (PATIENT, True, ["PUT Patient/p"]),
        ({"resourceType": "Patient"}, True, ["POST Patient"]),
        (PUT, True, ["PUT Patient/p"]),
        ({"resource": PATIENT}, True, ["PUT Patient/p"]),
    ],
)
def test_a_document_becomes_one_unit(content: Any, atomic: bool, requests: list[str]) -> None:
    (unit,) = units_of(content, "a.json")
    assert isinstance(unit, Unit)
    assert unit.atomic is atomic
    assert [f"{entry['request']['method']} {entry['request']['url']}" for entry in unit.entries] == requests
    assert {type_of(entry) for entry in unit.entries} == {"Patient"}


@pytest.mark.parametrize(
    "content",
    [
        [],
        7,
        None,
        {},
        {"resource": 7},
        {"resource": {}},
        bundle("history", PUT),
        bundle("transaction", {"resource": PATIENT}),
        {"resourceType": "Bundle", "type": "batch", "entry": {}},
        {"resourceType": "Bundle", "type": "batch", "entry": [7]},
        {"resourceType": 7},
    ],
)
def test_what_cannot_be_loaded_is_told_and_never_raised(content: Any) -> None:
    (found,) = units_of(content, "a.json")
    assert isinstance(found, Unreadable)
    assert found.reason


def test_folders_are_read_in_order_with_what_is_broken_aside(tmp_path: Path) -> None:
    (tmp_path / "b.json").write_text(json.dumps(PATIENT))
    (tmp_path / "a.json").write_text("{ no json")
    (tmp_path / "notes.txt").write_text("not for us")
    (tmp_path / "c").mkdir()
    (tmp_path / "c" / "d.json").write_text(json.dumps(bundle("transaction", PUT)))
    reading = read([tmp_path])
    assert [Path(unit.source).name for unit in reading.units] == ["b.json", "d.json"]
    assert [Path(item.source).name for item in reading.unreadable] == ["a.json"]


def test_lines_are_sent_by_the_hundreds_and_a_broken_line_hinders_no_other(tmp_path: Path) -> None:
    lines = [json.dumps({"resourceType": "Patient", "id": f"p{number}"}) for number in range(LINES_PER_UNIT + 5)]
    lines.insert(3, "{ broken")
    (tmp_path / "all.ndjson").write_text("\n".join(lines) + "\n\n")
    reading = read([tmp_path / "all.ndjson"])
    assert [len(unit.entries) for unit in reading.units] == [LINES_PER_UNIT, 5]
    assert [item.source for item in reading.unreadable] == ["all.ndjson:4"]
    assert not any(unit.atomic for unit in reading.units)


def test_a_unit_is_known_by_its_content() -> None:
    assert Unit("a", True, (PUT,)).digest == Unit("b", True, (PUT,)).digest
    assert Unit("a", True, (PUT,)).digest != Unit("a", False, (PUT,)).digest
