"""One prescription that several resources tell of is counted once; what nobody can decide is a range."""

from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.careplans.domain.safety.merging import MOST, MedicationList, merge
from services.careplans.domain.safety.mme import equivalents
from shared.errors import Unprocessable
from tests.unit.services.careplans.domain.safety.prescriptions import (
    BID,
    DAILY,
    Q6H,
    Q72H,
    QID,
    TID,
    TODAY,
    Body,
    prescribed,
    record,
    reference,
    told,
)

MS = "morphine 15 mg tablet"
MS30 = "morphine 30 mg tablet"
ONE = {"identifier": [{"system": "urn:rx", "value": "1"}]}
TWO = {"identifier": [{"system": "urn:rx", "value": "2"}]}
BY_A = {"requester": reference("Practitioner/a"), "authoredOn": "2026-02-01"}
BY_B = {"requester": reference("Practitioner/b"), "authoredOn": "2026-02-01"}


def merged(*resources: Body) -> MedicationList:
    return merge(record(*resources), TODAY)


CASES: list[tuple[str, list[Body], int, str]] = [
    ("same identifier", [prescribed(MS, TID, id="1") | ONE, prescribed(MS, TID, id="2") | ONE], 1, "45 MME/day"),
    (
        "same identifier, told by a statement of another source",
        [prescribed(MS, TID) | ONE, told(MS, None) | ONE],
        1,
        "45 MME/day",
    ),
    (
        "derived from the prescription",
        [prescribed(MS, TID), told("morphine", None, derivedFrom=[reference("MedicationRequest/r")])],
        1,
        "45 MME/day",
    ),
    (
        "based on the prescription, another dose is taken",
        [prescribed(MS, TID), told(MS, BID, basedOn=[reference("MedicationRequest/r")])],
        1,
        "30 to 45 MME/day",
    ),
    (
        "a filler order",
        [prescribed(MS, TID), prescribed(MS, TID, id="f", basedOn=[reference("MedicationRequest/r")])],
        1,
        "45 MME/day",
    ),
    (
        "a filler order of another product may fill a part",
        [prescribed(MS30, BID), prescribed(MS, BID, id="f", basedOn=[reference("MedicationRequest/r")])],
        2,
        "60 to 90 MME/day",
    ),
    (
        "renewed",
        [prescribed(MS, TID), prescribed(MS, TID, id="n", priorPrescription=reference("MedicationRequest/r"))],
        1,
        "45 MME/day",
    ),
    (
        "renewed with a lower dose",
        [prescribed(MS, TID), prescribed(MS, BID, id="n", priorPrescription=reference("MedicationRequest/r"))],
        1,
        "30 MME/day",
    ),
    (
        "renewed twice, the one between is over",
        [
            prescribed(MS, QID),
            prescribed(MS, TID, id="m", status="stopped", priorPrescription=reference("MedicationRequest/r")),
            prescribed(MS, BID, id="n", priorPrescription=reference("MedicationRequest/m")),
        ],
        1,
        "30 MME/day",
    ),
    (
        "a statement about what was renewed",
        [
            prescribed(MS, QID),
            prescribed(MS, BID, id="n", priorPrescription=reference("MedicationRequest/r")),
            told(MS, QID, derivedFrom=[reference("MedicationRequest/r")]),
        ],
        1,
        "30 MME/day",
    ),
    (
        "the renewal has not begun",
        [
            prescribed(MS, TID),
            prescribed(MS, BID, id="n", authoredOn="2026-03-09", priorPrescription=reference("MedicationRequest/r")),
        ],
        1,
        "45 MME/day",
    ),
    (
        "replaced by another ingredient, and still active",
        [
            prescribed(MS, TID),
            prescribed("oxycodone 10 mg tablet", TID, id="n", priorPrescription=reference("MedicationRequest/r")),
        ],
        2,
        "90 MME/day",
    ),
    ("a statement that says the same", [prescribed(MS, TID), told(MS, TID)], 1, "45 MME/day"),
    ("two statements that say the same", [told(MS, TID, id="1"), told(MS, TID, id="2")], 1, "45 MME/day"),
    ("a statement with another dose", [prescribed(MS, TID), told(MS, QID)], 2, "60 to 105 MME/day"),
    ("a statement without a dose", [prescribed(MS, TID), told("morphine", None)], 2, "at least 45 MME/day"),
    (
        "came twice",
        [prescribed(MS, TID, id="1") | BY_A, prescribed(MS, TID, id="2") | BY_A | {"note": [{"text": "x"}]}],
        1,
        "45 MME/day",
    ),
    ("a copy", [prescribed(MS, TID, id="1"), prescribed(MS, TID, id="2", meta={"source": "b"})], 1, "45 MME/day"),
    (
        "other identifiers",
        [prescribed(MS, TID, id="1") | ONE, prescribed(MS, TID, id="2") | TWO],
        2,
        "45 to 90 MME/day",
    ),
    (
        "two prescribers",
        [prescribed(MS, TID, id="1") | BY_A, prescribed(MS, TID, id="2") | BY_B],
        2,
        "45 to 90 MME/day",
    ),
    (
        "a month later, without a link",
        [prescribed(MS, TID, id="1") | BY_A, prescribed(MS, TID, id="2") | BY_A | {"authoredOn": "2026-03-01"}],
        2,
        "45 to 90 MME/day",
    ),
    (
        "another strength is another prescription",
        [prescribed(MS, TID, id="1"), prescribed(MS30, BID, id="2")],
        2,
        "105 MME/day",
    ),
    (
        "two products, and a statement that may tell of either",
        [prescribed(MS, TID, id="1"), prescribed(MS30, BID, id="2"), told("morphine 10 mg tablet", QID)],
        3,
        "105 to 145 MME/day",
    ),
    (
        "a patch and tablets",
        [prescribed("fentanyl 25 mcg/h patch", Q72H, id="1"), prescribed("oxycodone 5 mg tablet", Q6H, id="2")],
        2,
        "90 MME/day",
    ),
    (
        "what is as needed in one source only",
        [prescribed(MS, TID), told(MS, TID, asNeeded=True) | {"dosage": []}],
        2,
        "at least 45 MME/day",
    ),
]


@pytest.mark.parametrize(("what", "resources", "entries", "total"), CASES, ids=[case[0] for case in CASES])
def test_what_tells_of_one_prescription_is_counted_once(
    what: str, resources: list[Body], entries: int, total: str
) -> None:
    for order in permutations(resources):
        found = merged(*order)
        assert (len(found.entries), str(equivalents(found))) == (entries, total)


def test_an_entry_names_all_that_tells_of_it() -> None:
    found = merged(
        prescribed(MS, TID, authoredOn="2025-06-01"),
        prescribed(MS, TID, id="n", authoredOn="2026-02-01", priorPrescription=reference("MedicationRequest/r")),
        told(MS, BID, derivedFrom=[reference("MedicationRequest/n")]),
        {
            "resourceType": "MedicationDispense",
            "id": "d",
            "status": "completed",
            "authorizingPrescription": [reference("MedicationRequest/n")],
        },
    )
    (entry,) = found.entries
    assert entry.lead.reference == "MedicationRequest/n"
    assert entry.sources == ("MedicationRequest/n", "MedicationRequest/r", "MedicationStatement/s")
    assert str(entry.since) == "2025-06-01"
    assert entry.evidence == ("MedicationDispense/d",)
    assert entry.remarks == ("MedicationRequest/n and MedicationStatement/s give different doses of one prescription",)


def test_a_patient_who_does_not_take_it_is_heard() -> None:
    (entry,) = merged(
        prescribed(MS, TID), told(MS, TID, status="not-taken", derivedFrom=[reference("MedicationRequest/r")])
    ).entries
    assert entry.remarks == ("MedicationStatement/s says that it is not taken; the prescription is active and counted",)


def test_a_supply_that_no_prescription_explains_is_said_aloud() -> None:
    dispense = {
        "resourceType": "MedicationDispense",
        "id": "d",
        "status": "completed",
        "medicationCodeableConcept": {"text": MS},
        "whenHandedOver": "2026-02-20",
        "daysSupply": {"value": 30, "unit": "d"},
    }
    assert [gap.reference for gap in merged(dispense).gaps] == ["MedicationDispense/d"]
    assert merged(dispense, prescribed(MS, TID)).gaps == ()
    assert merged(dispense | {"whenHandedOver": "2025-12-20"}).gaps == ()


def test_links_to_other_ingredients_are_said_aloud() -> None:
    found = merged(
        prescribed(MS, TID),
        prescribed("oxycodone 10 mg tablet", TID, id="n", priorPrescription=reference("MedicationRequest/r")),
    )
    assert [gap.reference for gap in found.gaps] == ["MedicationRequest/n"]


def test_more_prescriptions_than_anybody_takes_are_refused() -> None:
    with pytest.raises(Unprocessable):
        merged(*(prescribed(MS, TID, id=str(place)) for place in range(MOST + 1)))
    assert len(merged(*(prescribed(MS, TID, id=str(place), status="stopped") for place in range(MOST + 1))).past) > MOST


SENTENCES = [MS, MS30, "oxycodone 5 mg tablet", "hydrocodone-acetaminophen 5-325 mg tablet", "ibuprofen 600 mg tablet"]


@st.composite
def resources(draw: Any) -> list[Body]:
    """Prescriptions and statements, some linked, some over, some without a dose."""
    found: list[Body] = []
    for place in range(draw(st.integers(0, 6))):
        make: Any = draw(st.sampled_from([prescribed, told]))
        body = make(draw(st.sampled_from(SENTENCES)), draw(st.sampled_from([DAILY, BID, TID, None])), id=str(place))
        body["status"] = draw(st.sampled_from(["active", "active", "active", "stopped", "unknown"]))
        body |= draw(st.sampled_from([{}, ONE, TWO, BY_A, BY_B]))
        if found and draw(st.booleans()):
            target = draw(st.sampled_from(found))
            link = reference(f"{target['resourceType']}/{target['id']}")
            renews = "intent" in body and draw(st.booleans())
            body |= {"priorPrescription": link} if renews else {"basedOn": [link]}
        found.append(body)
    return found


@given(resources(), st.randoms())
def test_the_order_of_the_record_does_not_matter(bodies: list[Body], random: Any) -> None:
    other = list(bodies)
    random.shuffle(other)
    assert merged(*bodies) == merged(*other)


@given(resources(), st.data())
def test_a_source_that_comes_twice_raises_nothing(bodies: list[Body], data: st.DataObject) -> None:
    if not bodies:
        return
    twin = data.draw(st.sampled_from(bodies)) | {"id": "twin"}
    once, twice = equivalents(merged(*bodies)), equivalents(merged(*bodies, twin))
    assert twice.low <= once.low
    assert (twice.high is None) == (once.high is None)
    assert (twice.high or 0) <= (once.high or 0)


@given(resources(), st.sampled_from([{"status": "stopped"}, {"status": "entered-in-error"}, {"doNotPerform": True}]))
def test_what_is_not_taken_changes_no_sum(bodies: list[Body], how: Body) -> None:
    extra = prescribed(MS30, TID, id="over") | how
    assert equivalents(merged(*bodies)) == equivalents(merged(*bodies, extra))


@given(resources())
def test_a_sum_without_every_dose_says_at_least_or_not_known(bodies: list[Body]) -> None:
    found = equivalents(merged(*bodies))
    assert (found.high is None) == bool(found.gaps)
    if found.gaps:
        assert str(found).startswith(("at least ", "not known"))
    else:
        assert found.high is not None
        assert found.low <= found.high
