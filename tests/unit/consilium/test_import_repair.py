"""Faults of real files, and the journal that survives a killed run."""

from collections import Counter
from pathlib import Path

from consilium.importing.journal import Journal
from consilium.importing.references import rewritten
from consilium.importing.repair import DANGLING, URL, literals, with_own_ids, without_dangling
from consilium.importing.units import Unit


def observation(reference: str, url: str = "Observation/o") -> Unit:
    """An Observation of somebody."""
    resource = {"resourceType": "Observation", "id": "o", "subject": {"reference": reference, "display": "x"}}
    return Unit("file", True, ({"resource": resource, "request": {"method": "PUT", "url": url}},))


def test_a_put_goes_under_the_id_of_its_resource() -> None:
    told: Counter[str] = Counter()
    fixed = with_own_ids(observation("Patient/p", url="Observation/other"), told)
    assert fixed.entries[0]["request"]["url"] == "Observation/o"
    assert told == {URL: 1}


def test_a_dangling_reference_becomes_a_logical_one() -> None:
    told: Counter[str] = Counter()
    unit = observation("Patient/gone")
    assert literals(unit) == {"Patient/gone"}
    fixed = without_dangling(unit, {"Patient/gone"}, told)
    subject = fixed.entries[0]["resource"]["subject"]
    assert subject == {"display": "x", "type": "Patient", "identifier": {"value": "Patient/gone"}}
    assert told == {DANGLING: 1}
    assert unit.entries[0]["resource"]["subject"]["reference"] == "Patient/gone", "the file's content is left alone"


def test_a_unit_without_dangling_references_is_the_same() -> None:
    unit = observation("Patient/p")
    assert without_dangling(unit, {"Patient/q"}, Counter()) is unit


def test_references_to_what_was_stored_are_rewritten_everywhere() -> None:
    value = {"a": [{"reference": "urn:uuid:1"}], "reference": "urn:uuid:2", "b": {"text": "urn:uuid:1"}}
    assert rewritten(value, {"urn:uuid:1": "Patient/1"}) == {
        "a": [{"reference": "Patient/1"}],
        "reference": "urn:uuid:2",
        "b": {"text": "urn:uuid:1"},
    }


def test_the_journal_remembers_per_server_and_survives_half_a_line(tmp_path: Path) -> None:
    file = tmp_path / "folder" / "journal.jsonl"
    journal = Journal(file, "http://one")
    journal.add("d1", "a.json", [0, 2], {"urn:uuid:1": "Patient/1"})
    journal.add("d1", "a.json", [1], {})
    with file.open("a") as half:
        half.write('{"server": "http://one", "unit": "d2", "sto')
    again = Journal(file, "http://one")
    done = again.done("d1")
    assert done is not None
    assert done.positions == {0, 1, 2}
    assert done.made == {"urn:uuid:1": "Patient/1"}
    assert again.done("d2") is None
    assert Journal(file, "http://two").done("d1") is None


def test_a_unit_that_was_sent_is_in_doubt_until_its_outcome_is_noted(tmp_path: Path) -> None:
    file = tmp_path / "journal.jsonl"
    Journal(file, "http://one").sending("d1", "a.json")
    journal = Journal(file, "http://one")
    assert journal.in_doubt("d1")
    assert journal.done("d1") is None
    journal.add("d1", "a.json", [0], {})
    assert not journal.in_doubt("d1")
    assert not Journal(file, "http://one").in_doubt("d1")
