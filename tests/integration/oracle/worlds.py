"""Random resources of eight types that refer to each other; every element that a search looks at is there or not."""

from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from shared.fhir.json import Resource

World = dict[str, Resource]
"""By ``Type/id``, in the order of arrival."""

SNOMED, LOCAL = "http://snomed.info/sct", "urn:local"
ANIMALS = "http://example.org/animals"
CODES = ("cat", "Dog", "animal")
DISPLAYS = ("Café au lait", "cafe", "Walk more", "walking")
NAMES = ("Müller", "Mueller", "MULLER", "O'Brien", "de  la Cruz", "Ng", "José", "jo", "Straße", "a,b|c$d\\e")
MOMENTS = (
    "2023",
    "2024",
    "2024-02",
    "2024-03",
    "2024-02-29",
    "2024-03-01",
    "2024-02-29T23:30:00-02:00",
    "2024-03-01T01:30:00Z",
    "2024-03-01T01:30:00.250Z",
    "2025-12-31",
)
DATES = tuple(moment for moment in MOMENTS if len(moment) <= 10)
INSTANTS = tuple(moment for moment in MOMENTS if len(moment) > 10)
NUMBERS = ("0", "0.1", "0.15", "0.2", "1", "1.00", "1.05", "-1", "100", "104", "1E+2")
UNITS = ({}, {"unit": "points"}, {"unit": "mg", "system": "urn:units", "code": "mg"}, {"system": "urn:u", "code": "mg"})
URLS = ("http://a/x", "http://a/x/1", "http://a/x/12", "http://a/x/1/b", "http://a", "urn:oid:1.2", "urn:oid:1.2.3")
PEOPLE = ("Practitioner/a", "Organization/a", "Organization/b", "Patient/a")
FOREIGN = "http://elsewhere/fhir"

COUNTS = {
    "Organization": 2,
    "Practitioner": 2,
    "Patient": 3,
    "CarePlan": 3,
    "Task": 3,
    "Observation": 6,
    "RiskAssessment": 3,
    "ValueSet": 3,
}
IDS = "abcdef"


def _codings() -> st.SearchStrategy[Resource]:
    return st.fixed_dictionaries(
        {"code": st.sampled_from(CODES)},
        optional={"system": st.sampled_from((SNOMED, LOCAL, ANIMALS)), "display": st.sampled_from(DISPLAYS)},
    )


CODINGS = _codings()
CONCEPTS = st.one_of(
    st.fixed_dictionaries({"coding": st.lists(CODINGS, min_size=1, max_size=2)}),
    st.fixed_dictionaries({"text": st.sampled_from(DISPLAYS)}, optional={"coding": st.lists(CODINGS, min_size=1)}),
)
IDENTIFIERS = st.fixed_dictionaries(
    {"value": st.sampled_from(("1", "Ab", "ab"))},
    optional={
        "system": st.sampled_from(("urn:mrn", "urn:ssn")),
        "type": st.fixed_dictionaries(
            {"coding": st.just([{"system": "urn:types", "code": "MR"}])}, optional={"text": st.sampled_from(DISPLAYS)}
        ),
    },
)
PERIODS = st.one_of(
    st.builds(lambda start: {"start": start}, st.sampled_from(MOMENTS)),
    st.builds(lambda end: {"end": end}, st.sampled_from(MOMENTS)),
    st.builds(
        lambda both: dict(zip(("start", "end"), sorted(both), strict=True)), st.tuples(*[st.sampled_from(MOMENTS)] * 2)
    ),
)
TIMINGS = st.one_of(
    st.builds(lambda events: {"event": events}, st.lists(st.sampled_from(MOMENTS), min_size=1, max_size=2)),
    st.builds(lambda period: {"repeat": {"boundsPeriod": period}}, PERIODS),
)
DECIMALS = st.sampled_from(NUMBERS)


@st.composite
def quantities(draw: st.DrawFn) -> Resource:
    """A Quantity, some with a comparator."""
    comparator = draw(st.sampled_from((None, None, None, "<", ">=")))
    found = {"value": Decimal(draw(DECIMALS))} | draw(st.sampled_from(UNITS))
    return found | ({"comparator": comparator} if comparator else {})


def _sampled(ends: tuple[str, str]) -> Resource:
    low, high = sorted(map(Decimal, ends))
    origin = {"value": Decimal("0"), "unit": "points"}
    return {"origin": origin, "period": 1, "dimensions": 1, "lowerLimit": low, "upperLimit": high, "data": "1 2"}


def _range(ends: tuple[str, str]) -> Resource:
    low, high = sorted(map(Decimal, ends))
    return {"low": {"value": low}, "high": {"value": high}}


PAIRS = st.tuples(DECIMALS, DECIMALS)


def references(*targets: str) -> st.SearchStrategy[Resource]:
    """A Reference to one of ``targets``: literal, to a version, to another server, logical."""
    literal = st.sampled_from(targets)
    return st.one_of(
        st.builds(lambda target: {"reference": target}, literal),
        st.builds(lambda target: {"reference": target}, literal),
        st.builds(lambda target: {"reference": f"{target}/_history/2"}, literal),
        st.builds(lambda target: {"reference": f"{FOREIGN}/{target}"}, literal),
        st.builds(
            lambda target, identifier: {"type": target.partition("/")[0], "identifier": identifier},
            literal,
            IDENTIFIERS,
        ),
    )


def _of(type_: str, *more: str) -> tuple[str, ...]:
    """The ids of the resources of ``type_``, and one that is not there."""
    return (*(f"{type_}/{id_}" for id_ in IDS[: COUNTS[type_]]), f"{type_}/gone", *more)


META = st.fixed_dictionaries(
    {},
    optional={
        "tag": st.lists(CODINGS, min_size=1, max_size=2),
        "security": st.lists(CODINGS, min_size=1, max_size=1),
        "profile": st.lists(st.sampled_from((*URLS, "http://a/x/1|2")), min_size=1, max_size=2),
        "source": st.sampled_from(URLS),
    },
)
SUBJECTS = references(*_of("Patient"), "Group/a")
VALUES = st.one_of(
    st.just({}),
    st.builds(lambda value: {"valueQuantity": value}, quantities()),
    st.builds(lambda value: {"valueQuantity": value}, quantities()),
    st.builds(lambda value: {"valueCodeableConcept": value}, CONCEPTS),
    st.builds(lambda value: {"valueString": value}, st.sampled_from(NAMES)),
    st.builds(lambda value: {"valueDateTime": value}, st.sampled_from(MOMENTS)),
    st.builds(lambda value: {"valuePeriod": value}, PERIODS),
    st.builds(lambda value: {"valueSampledData": value}, st.builds(_sampled, PAIRS)),
)
EFFECTIVE = st.one_of(
    st.just({}),
    st.builds(lambda value: {"effectiveDateTime": value}, st.sampled_from(MOMENTS)),
    st.builds(lambda value: {"effectiveInstant": value}, st.sampled_from(INSTANTS)),
    st.builds(lambda value: {"effectivePeriod": value}, PERIODS),
    st.builds(lambda value: {"effectiveTiming": value}, TIMINGS),
)
COMPONENTS = st.builds(lambda code, value: {"code": code} | value, CONCEPTS, VALUES)
HUMAN_NAMES = st.fixed_dictionaries(
    {"family": st.sampled_from(NAMES)}, optional={"given": st.lists(st.sampled_from(NAMES), min_size=1, max_size=2)}
)
CONTACTS = st.fixed_dictionaries(
    {"value": st.sampled_from(("555", "Fax"))},
    optional={"system": st.sampled_from(("phone", "email")), "use": st.sampled_from(("home", "work"))},
)
ACTIVITIES = st.one_of(
    st.builds(lambda value: {"scheduledTiming": value}, TIMINGS),
    st.builds(lambda value: {"scheduledPeriod": value}, PERIODS),
)
MEMBERS = st.fixed_dictionaries(
    {}, optional={"concept": st.lists(st.builds(lambda code: {"code": code}, st.sampled_from(CODES)), min_size=1)}
)


def _some(strategy: st.SearchStrategy[Any], most: int = 2) -> st.SearchStrategy[list[Any]]:
    return st.lists(strategy, min_size=1, max_size=most)


REQUIRED: dict[str, dict[str, st.SearchStrategy[Any]]] = {
    "Organization": {"name": st.sampled_from(NAMES)},
    "Practitioner": {},
    "Patient": {},
    "CarePlan": {"status": st.sampled_from(("active", "draft")), "intent": st.just("plan"), "subject": SUBJECTS},
    "Task": {"status": st.sampled_from(("requested", "completed")), "intent": st.just("order")},
    "Observation": {"status": st.sampled_from(("final", "amended")), "code": CONCEPTS},
    "RiskAssessment": {"status": st.just("final"), "subject": SUBJECTS},
    "ValueSet": {"status": st.sampled_from(("active", "draft"))},
}
OPTIONAL: dict[str, dict[str, st.SearchStrategy[Any]]] = {
    "Organization": {
        "active": st.booleans(),
        "alias": _some(st.sampled_from(NAMES)),
        "partOf": references(*_of("Organization")),
    },
    "Practitioner": {"name": _some(HUMAN_NAMES), "identifier": _some(IDENTIFIERS)},
    "Patient": {
        "active": st.booleans(),
        "gender": st.sampled_from(("male", "female")),
        "name": _some(HUMAN_NAMES),
        "identifier": _some(IDENTIFIERS),
        "telecom": _some(CONTACTS),
        "birthDate": st.sampled_from(DATES),
        "address": _some(
            st.fixed_dictionaries({"city": st.sampled_from(NAMES)}, optional={"line": _some(st.sampled_from(NAMES))})
        ),
        "communication": _some(st.builds(lambda language: {"language": language}, CONCEPTS)),
        "generalPractitioner": _some(references(*_of("Practitioner"), *_of("Organization"))),
        "managingOrganization": references(*_of("Organization")),
    },
    "CarePlan": {
        "category": _some(CONCEPTS),
        "period": PERIODS,
        "basedOn": _some(references(*_of("CarePlan"))),
        "activity": _some(st.builds(lambda detail: {"detail": {"status": "scheduled"} | detail}, ACTIVITIES)),
        "instantiatesCanonical": _some(st.sampled_from(("http://a/plan", "http://a/plan|2"))),
        "instantiatesUri": _some(st.sampled_from(URLS)),
    },
    "Task": {
        "code": CONCEPTS,
        "priority": st.sampled_from(("routine", "urgent")),
        "businessStatus": CONCEPTS,
        "focus": references(*_of("CarePlan"), *_of("Observation")),
        "for": SUBJECTS,
        "owner": references(*PEOPLE),
        "partOf": _some(references(*_of("Task"))),
        "lastModified": st.sampled_from(MOMENTS),
        "executionPeriod": PERIODS,
    },
    "Observation": {
        "identifier": _some(IDENTIFIERS),
        "category": _some(CONCEPTS),
        "subject": SUBJECTS,
        "performer": _some(references(*PEOPLE)),
        "basedOn": _some(references(*_of("CarePlan"))),
        "derivedFrom": _some(references(*_of("Observation"))),
        "component": _some(COMPONENTS),
    },
    "RiskAssessment": {
        "prediction": _some(
            st.one_of(
                st.builds(lambda text: {"probabilityDecimal": Decimal(text)}, DECIMALS),
                st.builds(lambda ends: {"probabilityRange": _range(ends)}, PAIRS),
            )
        )
    },
    "ValueSet": {
        "url": st.sampled_from(URLS),
        "version": st.sampled_from(("1", "A", "a")),
        "name": st.sampled_from(NAMES),
        "title": st.sampled_from(NAMES),
        "date": st.sampled_from(MOMENTS),
        "compose": st.builds(
            lambda parts: {"include": parts},
            _some(
                st.builds(
                    lambda system, members: {"system": system} | members, st.sampled_from((SNOMED, ANIMALS)), MEMBERS
                )
            ),
        ),
    },
}
CHOICES = {"Observation": (VALUES, EFFECTIVE)}
"""Elements of which a resource has one of several, or none."""

_ANIMALS: Resource = {
    "resourceType": "CodeSystem",
    "id": "animals",
    "url": ANIMALS,
    "status": "active",
    "content": "complete",
    "concept": [{"code": "animal", "concept": [{"code": "cat"}, {"code": "Dog"}]}],
}


@st.composite
def resources(draw: st.DrawFn, type_: str, id_: str) -> Resource:
    """One resource."""
    found = draw(st.fixed_dictionaries(REQUIRED[type_], optional=OPTIONAL[type_] | {"meta": META}))
    for choice in CHOICES.get(type_, ()):
        found |= draw(choice)
    if type_ == "Patient":
        found |= draw(
            st.sampled_from(
                ({}, {"deceasedBoolean": False}, {"deceasedBoolean": True}, {"deceasedDateTime": "2024-02"})
            )
        )
    return {"resourceType": type_, "id": id_} | found


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """All of them, and a code system with a hierarchy."""
    every = [draw(resources(type_, id_)) for type_, count in COUNTS.items() for id_ in IDS[:count]]
    return {f"{each['resourceType']}/{each['id']}": each for each in [*every, _ANIMALS]}
