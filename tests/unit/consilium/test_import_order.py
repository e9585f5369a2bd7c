"""What is referred to goes first; a Bundle for several services goes in parts."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from consilium.importing.order import dependencies, ordered
from consilium.importing.split import parts
from consilium.importing.units import Entry, Unit, entry_of, type_of
from services.gateway.routing import owner_of


def put(type_: str, id_: str, *references: str, identifier: str | None = None) -> Entry:
    """A PUT entry that refers to ``references``."""
    resource: dict[str, Any] = {"resourceType": type_, "id": id_}
    if references:
        resource["about"] = [{"reference": reference} for reference in references]
    if identifier:
        resource["identifier"] = [{"system": "s", "value": identifier}]
    return entry_of(resource)


def post(type_: str, full_url: str, *references: str) -> Entry:
    """A POST entry with a fullUrl."""
    resource = {"resourceType": type_, "about": [{"reference": reference} for reference in references]}
    return {"fullUrl": full_url, "resource": resource, "request": {"method": "POST", "url": type_}}


def unit(*entries: Entry) -> Unit:
    """A transaction."""
    return Unit("file", True, entries)


def order_of(units: list[Unit]) -> list[int]:
    """All positions in a legal order."""
    sorter = ordered(units)
    found: list[int] = []
    while sorter.is_active():
        ready = sorted(sorter.get_ready())
        found.extend(ready)
        sorter.done(*ready)
    return found


def test_a_literal_reference_waits_for_its_target() -> None:
    assert order_of([unit(put("Task", "t", "Patient/p")), unit(put("Patient", "p"))]) == [1, 0]


def test_a_conditional_reference_waits_for_the_identifier() -> None:
    waiting = unit(put("Patient", "p", "Practitioner?identifier=s|1"))
    assert order_of([waiting, unit(put("Practitioner", "x", identifier="1"))]) == [1, 0]


def test_a_later_version_of_the_same_resource_goes_later() -> None:
    first, second = unit(put("Patient", "p")), unit(put("Patient", "p"))
    assert dependencies([first, second]) == {0: set(), 1: {0}}


def test_a_circle_goes_in_the_order_of_the_files() -> None:
    assert order_of([unit(put("A", "1", "B/1")), unit(put("B", "1", "A/1"))]) == [0, 1]


@given(st.lists(st.lists(st.integers(0, 7), max_size=4), min_size=1, max_size=8))
def test_everything_is_sent_once_whatever_refers_to_what(targets: list[list[int]]) -> None:
    units = [
        unit(put("Patient", str(position), *(f"Patient/{target}" for target in wanted)))
        for position, wanted in enumerate(targets)
    ]
    assert sorted(order_of(units)) == list(range(len(units)))


def test_a_bundle_for_one_service_stays_whole() -> None:
    whole = unit(put("Patient", "p"), put("Observation", "o", "Patient/p"))
    assert parts(whole, owner_of) == [whole]


def test_a_bundle_for_two_services_is_cut_where_the_answer_of_one_is_needed() -> None:
    whole = unit(
        post("Task", "urn:uuid:t", "urn:uuid:p"),
        post("Patient", "urn:uuid:p", "urn:uuid:d"),
        post("Practitioner", "urn:uuid:d"),
    )
    found = parts(whole, owner_of)
    assert found is not None
    assert [[type_of(entry) for entry in part.entries] for part in found] == [["Practitioner"], ["Patient"], ["Task"]]


def test_a_circle_across_services_cannot_be_sent() -> None:
    whole = unit(post("Task", "urn:uuid:t", "urn:uuid:p"), post("Patient", "urn:uuid:p", "urn:uuid:t"))
    assert parts(whole, owner_of) is None


def test_literal_references_of_puts_bind_no_order() -> None:
    whole = unit(put("Task", "t", "Patient/p"), put("Patient", "p", "Task/t"))
    assert parts(whole, owner_of) is not None
