"""What a service or a role offers; what is missing is unknown, and nothing that is stored is an error."""

import copy
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.referrals.domain.ages import AgeRange
from services.referrals.domain.distance import Place
from services.referrals.domain.offering import Modality, Offering, offering_of, related_to
from services.referrals.domain.specialty import Specialty
from tests.factories.directory import AGE_GROUPS, at, extension, location, role, service
from tests.factories.referrals import concept, reference

STATUS = "http://hl7.org/fhir/us/sdoh-clinicalcare"
PLAN_NET = "http://hl7.org/fhir/us/davinci-pdex-plan-net"


def of(resource: dict[str, Any], *known: dict[str, Any]) -> Offering:
    return offering_of(resource, {f"{each['resourceType']}/{each['id']}": each for each in known})


def capacity_status(code: str) -> dict[str, Any]:
    system = f"{STATUS}/CodeSystem/SDOHCC-CodeSystemTemporaryCodes"
    part = {"url": "capacityStatus", "valueCodeableConcept": concept(system, code)}
    url = f"{STATUS}/StructureDefinition/SDOHCC-ExtensionHealthcareServiceCapacityStatus"
    return {"url": url, "extension": [part]}


def delivery(code: str) -> dict[str, Any]:
    part = {"url": "type", "valueCodeableConcept": concept(f"{PLAN_NET}/CodeSystem/DeliveryMethodCS", code)}
    return {"url": f"{PLAN_NET}/StructureDefinition/delivery-method", "extension": [part]}


def test_a_service_that_says_nothing_takes_everybody_and_is_active() -> None:
    offering = of({"resourceType": "HealthcareService", "id": "x"})
    assert offering == Offering("HealthcareService/x")
    assert offering.held_on(date(2026, 1, 1))


@pytest.mark.parametrize(
    ("more", "modalities"),
    [
        ({"modalities": ["telehealth", "group"]}, {"telehealth", "group"}),
        ({"extension": [extension("modality", valueCode="on-site")]}, {"on-site"}),
        ({"extension": [extension("modality", valueCode="by pigeon"), extension("modality", valueCode=7)]}, set()),
        ({"extension": [delivery("virtual"), delivery("physical")]}, {"telehealth", "on-site"}),
        ({"type": [concept("http://snomed.info/sct", "1555005")]}, {"group"}),
    ],
)
def test_how_one_is_seen_comes_from_characteristics_and_extensions(more: dict[str, Any], modalities: set[str]) -> None:
    assert of(service(**more)).modalities == {Modality(each) for each in modalities}


@pytest.mark.parametrize(
    ("more", "ages"),
    [
        ({"eligibility": [{"code": concept(AGE_GROUPS, "adolescents")}]}, [AgeRange(12, 17)]),
        ({"extension": [extension("age-range", valueRange={"low": {"value": Decimal(16)}})]}, [AgeRange(16, None)]),
        ({"extension": [extension("age-range", valueRange={})]}, []),
        ({"eligibility": [{"comment": "adults"}]}, []),
    ],
)
def test_ages_come_from_eligibility_and_the_extension(more: dict[str, Any], ages: list[AgeRange]) -> None:
    assert list(of(service(**more)).ages) == ages


def test_payers_capacity_and_acceptance_come_from_extensions() -> None:
    more = [
        extension("payer", valueReference=reference("Organization/payer")),
        extension("weekly-capacity", valueUnsignedInt=4),
        capacity_status("waitlist"),
    ]
    offering = of(service(extension=more))
    assert (offering.payers, offering.weekly_capacity, offering.accepting) == ({"Organization/payer"}, 4, False)
    assert of(service(extension=[capacity_status("capacity")])).accepting is True
    assert of(service(extension=[capacity_status("additional-assessment-required")])).accepting is None


def test_a_role_has_its_practitioners_languages_and_its_services_offers_where_it_says_nothing() -> None:
    offered = service(
        modalities=["telehealth"], languages=["fr"], location=at("l"), providedBy=reference("Organization/o")
    )
    practitioner = {"resourceType": "Practitioner", "id": "p", "name": [{"given": ["Ada"], "family": "Moss"}]}
    practitioner["communication"] = [concept("urn:ietf:bcp:47", "es-MX")]
    links = {
        "practitioner": reference("Practitioner/p"),
        "healthcareService": [reference("HealthcareService/s1"), reference("HealthcareService/gone")],
    }
    offering = of(role(specialty=None, **links), offered, practitioner, location("l", 1.5, 2))
    assert offering.name == "Ada Moss"
    assert offering.languages == {"es"}
    assert offering.modalities == {Modality.TELEHEALTH}
    assert offering.specialties == {Specialty.PSYCHOLOGY}
    assert (offering.organization, offering.places) == ("Organization/o", (Place(1.5, 2.0),))
    assert offering.part_of == ("HealthcareService/s1", "HealthcareService/gone")
    assert not of(role(**links), offered | {"active": False}, practitioner).active
    assert not of(role(**links), offered, practitioner | {"active": False}).active


def test_a_role_is_held_in_its_period() -> None:
    offering = of(role(period={"start": "2026-01", "end": "2026-02-03"}))
    assert [offering.held_on(date(2026, 2, day)) for day in (1, 3, 4)] == [True, True, False]
    assert not offering.held_on(date(2025, 12, 31))


def test_what_says_more_of_an_offering_is_named() -> None:
    links = {"practitioner": reference("Practitioner/p"), "organization": {"display": "?"}, "location": at("l")}
    assert list(related_to(role(**links))) == ["Location/l", "Practitioner/p"]


WHOLE = service(
    extension=[
        extension("age-range", valueRange={"low": {"value": 16}, "high": {"value": 30}}),
        extension("modality", valueCode="group"),
        extension("payer", valueReference=reference("Organization/payer")),
        extension("weekly-capacity", valueUnsignedInt=4),
        capacity_status("capacity"),
    ],
    languages=["en"],
    modalities=["on-site"],
    eligibility=[{"code": concept(AGE_GROUPS, "adults")}],
    location=at("l"),
    providedBy=reference("Organization/o"),
    notAvailable=[{"description": "away", "during": {"start": "2026-01", "end": "2026-02"}}],
)
odd = st.sampled_from(
    [None, 7, "x", "", True, [], {}, [None], [7], [[]], {"coding": 7}, 10**400, Decimal("1e999")]
).map(copy.deepcopy)


@given(st.data())
def test_whatever_an_element_is_nothing_raises(data: st.DataObject) -> None:
    mutated = copy.deepcopy(data.draw(st.sampled_from([WHOLE, location("l", 1, 2)])))
    for _ in range(data.draw(st.integers(1, 3))):
        holder: Any = mutated
        while isinstance(holder, dict | list) and holder:
            key = data.draw(st.sampled_from(sorted(holder) if isinstance(holder, dict) else range(len(holder))))
            if key in ("resourceType", "id") and holder is mutated:
                break
            if not isinstance(holder[key], dict | list) or data.draw(st.booleans()):
                holder[key] = data.draw(odd)
                break
            holder = holder[key]
    wholly = mutated if mutated["resourceType"] == "HealthcareService" else WHOLE
    places = mutated if mutated["resourceType"] == "Location" else location("l", 1, 2)
    offering = of(role(healthcareService=[reference("HealthcareService/s1")]), wholly, places)
    assert offering.reference == "PractitionerRole/r1"
