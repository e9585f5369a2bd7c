"""A score as an Observation, and what becomes of it when its response changes."""

from datetime import timedelta
from typing import Any

import pytest

from services.careplans.domain.measures.catalogue import BY_ID
from services.careplans.domain.measures.derive import observation_id, scores
from services.careplans.domain.measures.observation import PROFILE
from shared.fhir.json import Resource
from shared.fhir.kinds import Consequence
from shared.fhir.validate import check
from tests.unit.services.careplans.domain.measures.answering import NOON, PATIENT, coded, integer, ours, response

LATER = NOON + timedelta(hours=1)
META = {"versionId": "1", "lastUpdated": "2025-03-04T12:00:00.000Z"}


def one(before: Resource | None, after: Resource | None) -> Consequence:
    [found] = scores(before, after, "r", LATER)
    return found


def made(after: Resource) -> Resource:
    """The Observation of a new response."""
    found = one(None, after).absent
    assert found is not None
    return found


def stored(of: Resource, **more: Any) -> Resource:
    """As the server keeps it."""
    [found] = scores(None, of, "r", NOON)
    assert found.absent is not None
    return found.absent | {"id": "o", "meta": found.absent["meta"] | META} | more


def test_a_score_says_whose_it_is_when_it_was_taken_and_what_it_is_made_from() -> None:
    author, encounter, order = (
        {"reference": "Practitioner/c"},
        {"reference": "Encounter/e"},
        {"reference": "CarePlan/c"},
    )
    found = made(ours("phq-9", [1] * 9, author=author, encounter=encounter, basedOn=[order]))
    assert check(found)
    assert found == {
        "resourceType": "Observation",
        "meta": {"profile": [PROFILE]},
        "status": "final",
        "category": [
            {
                "coding": [
                    {
                        "system": "http://terminology.hl7.org/CodeSystem/observation-category",
                        "code": "survey",
                        "display": "Survey",
                    }
                ]
            }
        ],
        "code": {
            "coding": [{"system": "http://loinc.org", "code": "44261-6"}],
            "text": "Patient Health Questionnaire, 9 items",
        },
        "subject": PATIENT,
        "basedOn": [order],
        "encounter": encounter,
        "effectiveDateTime": "2025-03-04T10:00:00Z",
        "issued": "2025-03-04T13:00:00.000Z",
        "performer": [author],
        "valueQuantity": {"value": 9, "unit": "{score}", "system": "http://unitsofmeasure.org", "code": "{score}"},
        "interpretation": [
            {
                "coding": [{"system": "https://consilium.care/fhir/CodeSystem/outcome-measure-band", "code": "mild"}],
                "text": "mild",
            }
        ],
        "derivedFrom": [{"reference": "QuestionnaireResponse/r"}],
    }


def test_a_measure_without_a_verified_code_has_a_local_one_and_its_own_unit() -> None:
    items = [
        {
            "linkId": str(place),
            "definition": f"https://consilium.care/fhir/CodeSystem/outcome-measure-item#{item.link}",
            "answer": [integer(1)],
        }
        for place, item in enumerate(BY_ID["odi"].items)
    ]
    found = made(response({}, item=items))
    assert found["code"]["coding"] == [
        {"system": "https://consilium.care/fhir/CodeSystem/outcome-measure", "code": "odi"}
    ]
    assert (found["valueQuantity"]["value"], found["valueQuantity"]["code"]) == (20, "%")


def test_what_is_missing_is_named_and_there_is_no_value() -> None:
    found = made(ours("gad-7", [1, None, 1, 1, 1, 1, 9]))
    assert check(found)
    assert "valueQuantity" not in found
    assert "interpretation" not in found
    assert found["dataAbsentReason"]["coding"][0]["code"] == "error"
    assert found["dataAbsentReason"]["text"] == "Not answered: gad7-2. Answers not understood: gad7-7."
    absent = [(part["code"]["text"], part["dataAbsentReason"]["coding"][0]["code"]) for part in found["component"]]
    assert absent == [("gad7-2", "unknown"), ("gad7-7", "error")]
    # codes that nobody verified are recognised and not sent
    assert found["component"][0]["code"]["coding"][0]["system"].startswith("https://consilium.care/")


def test_a_prorated_score_says_so() -> None:
    found = made(ours("phq-9", [None, *[1] * 8]))
    assert check(found)
    assert found["valueQuantity"]["value"] == 9
    assert found["note"] == [{"text": "Prorated. Not answered: phq9-1."}]
    assert found["component"][0]["code"]["coding"] == [{"system": "http://loinc.org", "code": "44250-9"}]


def test_a_response_to_nothing_of_ours_has_no_scores() -> None:
    assert scores(None, response({"1": 5}), "r", NOON) == ()
    assert scores(None, response({}), "r", NOON) == ()


@pytest.mark.parametrize(
    ("subject", "scored"),
    [
        (PATIENT, True),
        ({"reference": "Patient/p/_history/3"}, True),
        ({"reference": "https://ehr.example/fhir/Patient/p"}, True),
        ({"reference": "urn:uuid:0c9a1b1e-0000-4000-8000-000000000000", "type": "Patient"}, True),
        ({"identifier": {"value": "1", "assigner": {"reference": "#a"}}, "type": "Patient"}, True),
        ({"identifier": {"value": "1"}}, False),
        ({"reference": "#p", "type": "Patient"}, False),
        ({"reference": "Practitioner/p"}, False),
        ({"display": "Ms Lind"}, False),
        (None, False),
    ],
)
def test_only_what_is_about_a_patient_is_scored(subject: Any, scored: bool) -> None:
    answers = ours("peg", [5, 5, 5]) | {"subject": subject}
    if subject is None:
        del answers["subject"]
    found = scores(None, answers, "r", NOON)
    assert bool(found) is scored
    for consequence in found:
        assert consequence.absent is not None
        check(consequence.absent)
        assert "#" not in str(consequence.absent["subject"])


@pytest.mark.parametrize(
    ("more", "performers"),
    [
        ({"author": {"reference": "Patient/p"}}, [{"reference": "Patient/p"}]),
        ({"author": {"reference": "Device/d"}, "source": {"reference": "Patient/p"}}, [{"reference": "Patient/p"}]),
        ({"author": {"reference": "#a"}}, None),
        ({"author": {"display": "?"}}, None),
        ({"encounter": {"reference": "#e"}, "basedOn": [{"reference": "#b"}]}, None),
        ({}, None),
    ],
)
def test_references_that_an_observation_cannot_repeat_are_left_out(more: Resource, performers: Any) -> None:
    found = made(ours("peg", [5, 5, 5], **more))
    check(found)
    assert found.get("performer") == performers
    assert not {"encounter", "basedOn"} & found.keys()


def test_a_response_without_a_date_leaves_the_time_to_issued() -> None:
    answers = ours("peg", [5, 5, 5])
    del answers["authored"]
    found = made(answers)
    assert "effectiveDateTime" not in found
    assert found["issued"] == "2025-03-04T13:00:00.000Z"


def test_what_is_restricted_stays_restricted() -> None:
    label = {"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "R"}
    answers = ours("peg", [5, 5, 5], meta={"security": [label]})
    assert made(answers)["meta"]["security"] == [label]
    changed = one(answers, answers | {"meta": {}}).amend(stored(answers))
    assert changed is None, "a label is not taken off"
    open_ = stored(ours("peg", [5, 5, 5]))
    now = one(answers, answers).amend(open_)
    assert now is not None
    assert now["meta"]["security"] == [label]


def test_each_measure_of_a_response_has_an_observation_of_its_own_under_a_stable_id() -> None:
    both = response(
        {code: integer(5) for code in ("75893-8", "91145-3", "91146-1")}
        | {"70274-6": integer(9)}
        | {"72514-3": integer(4)}
    )
    found = scores(None, both, "r", NOON)
    ids = {each.reference for each in found}
    assert ids == {f"Observation/{observation_id('r', name)}" for name in ("peg", "gad-7", "pain-nrs")}
    assert observation_id("r", "peg") != observation_id("s", "peg")


@pytest.mark.parametrize("status", ["in-progress", "stopped", "entered-in-error"])
def test_what_is_not_finished_makes_no_score(status: str) -> None:
    assert all(each.absent is None for each in scores(None, ours("peg", [5, 5, 5], status=status), "r", NOON))


@pytest.mark.parametrize(
    ("was", "answers", "status", "expected"),
    [
        ("final", [5, 5, 5], "completed", None),
        ("final", [5, 5, 5], "amended", None),
        ("final", [5, 5, 8], "completed", "amended"),
        ("final", [5, 5, 8], "amended", "amended"),
        ("corrected", [5, 5, 5], "amended", None),
        ("preliminary", [5, 5, 5], "completed", "final"),
        ("entered-in-error", [5, 5, 5], "completed", "amended"),
        ("final", [5, 5, 8], "in-progress", "preliminary"),
        ("final", [5, 5, 5], "stopped", "cancelled"),
        ("final", [5, 5, 5], "entered-in-error", "entered-in-error"),
        ("entered-in-error", [5, 5, 8], "entered-in-error", None),
    ],
)
def test_an_observation_follows_its_response(was: str, answers: list[int], status: str, expected: str | None) -> None:
    before = ours("peg", [5, 5, 5])
    kept = stored(before, status=was)
    now = one(before, ours("peg", answers, status=status)).amend(kept)
    if expected is None:
        assert now is None
    else:
        assert now is not None
        assert (now["status"], now["issued"]) == (expected, "2025-03-04T13:00:00.000Z")
        assert now["meta"] == kept["meta"]
        value = 6 if answers[2] == 8 else 5
        assert now["valueQuantity"]["value"] == value


def test_what_people_added_stays_and_a_value_that_is_gone_goes() -> None:
    kept = stored(ours("peg", [5, 5, 5]), bodySite={"text": "back"})
    now = one(ours("peg", [5, 5, 5]), ours("peg", [5, 5, None], status="amended")).amend(kept)
    assert now is not None
    assert now["bodySite"] == {"text": "back"}
    assert "valueQuantity" not in now
    assert now["dataAbsentReason"]["coding"][0]["code"] == "unknown"
    check(now)


def test_a_measure_that_is_no_longer_in_the_response_is_withdrawn() -> None:
    before = response({"72514-3": integer(4)})
    now = one(before, response({"1": integer(4)})).amend(stored(before))
    assert now is not None
    assert (now["status"], now["derivedFrom"]) == ("entered-in-error", [{"reference": "QuestionnaireResponse/r"}])


def test_a_response_that_is_deleted_leaves_a_mistake_that_refers_to_nothing() -> None:
    before = ours("peg", [5, 5, 5])
    now = one(before, None).amend(stored(before))
    assert now is not None
    assert now["status"] == "entered-in-error"
    assert "derivedFrom" not in now
    assert one(before, None).amend(now) is None


def test_answers_in_codes_of_us_core_have_a_score() -> None:
    items = {f"/{item.codes[0].code}": coded("LA6570-1") for item in BY_ID["phq-9"].items}
    assert made(response(items))["valueQuantity"]["value"] == 18
