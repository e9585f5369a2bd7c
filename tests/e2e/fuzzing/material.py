"""What fuzzed requests are made of: resources that are right, and values that are hardly ever."""

import copy
from random import Random
from typing import Any

from tests.factories.referrals import order, practitioner_role, task
from tests.factories.resources import care_plan, observation, patient

Resource = dict[str, Any]

HELD: tuple[Resource, ...] = (
    patient(id="p1"),
    {"resourceType": "Organization", "id": "o1", "name": "x"},
    {"resourceType": "Practitioner", "id": "d1", "name": [{"family": "Lind"}]},
    practitioner_role("r1", "Practitioner/d1", "Organization/o1"),
    care_plan("Patient/p1", id="c1"),
    observation("Patient/p1", id="b1"),
    {"resourceType": "Communication", "id": "m1", "status": "completed", "payload": [{"contentString": "x"}]},
    {"resourceType": "CareTeam", "id": "g1", "status": "active", "subject": {"reference": "Patient/p1"}},
)
MORE: tuple[Resource, ...] = (
    order(id="s1"),
    task("requested", id="t1"),
    {
        "resourceType": "Goal",
        "id": "l1",
        "lifecycleStatus": "active",
        "description": {"text": "walk to the lake"},
        "subject": {"reference": "Patient/p1"},
    },
    {
        "resourceType": "QuestionnaireResponse",
        "id": "q1",
        "status": "completed",
        "item": [{"linkId": "1", "answer": [{"valueInteger": 7}]}],
    },
    {"resourceType": "Binary", "id": "y1", "contentType": "text/plain", "data": "eA=="},
    {"resourceType": "ValueSet", "id": "v1", "status": "active", "url": "http://example.org/vs"},
    {"resourceType": "Provenance", "id": "w1", "target": [{"reference": "Patient/p1"}], "agent": [{"who": {}}]},
    {"resourceType": "Parameters", "parameter": [{"name": "resource", "resource": patient()}]},
    {"resourceType": "Subscription", "id": "u1", "status": "requested", "criteria": "Task?", "reason": "x"},
)
SEEDS = (*HELD, *MORE)
TYPES = tuple(dict.fromkeys(one["resourceType"] for one in SEEDS))
IDS = tuple(one["id"] for one in SEEDS if "id" in one)

TEXTS = (
    *("", " ", "\x00", "\ud7ff", "\u202e", "a" * 300, "%", "'", '"', "\\", ",", "|", "$", "&", "<", "]]>", "{", "[]"),
    *("Patient/p1", "p1", "Patient", "Task?status=x", "urn:uuid:1", "#x", "http://[::1", "javascript:x", "../..", "*"),
    *("active", "true", "null", "0", "-1", "1e400", "NaN", "2024-02-30", "ge2020", "eq", "0001-01-01", "9999-12-31T24"),
    *("Patient:name", "_id", 'W/"1"', "$meta", "_history", "é", "😀", "\u00ad", "ǅ", "\ufeff"),
)
NUMBERS = (0, -1, 1, 2**31, 2**63, 10**40, -(10**40), 0.1, 1e308, -0.0)


def scalar(random: Random) -> Any:
    """A JSON value without children."""
    return random.choice((None, True, False, random.choice(NUMBERS), random.choice(TEXTS), random.choice(TEXTS)))


def value(random: Random, depth: int = 0) -> Any:
    """Any JSON value."""
    match random.randrange(6 if depth < 3 else 3):
        case 3:
            return [value(random, depth + 1) for _ in range(random.randrange(3))]
        case 4:
            return {random.choice(TEXTS): value(random, depth + 1) for _ in range(random.randrange(3))}
        case 5:
            return copy.deepcopy(random.choice(SEEDS))
    return scalar(random)


def resource(random: Random, type_: str | None = None) -> Resource:
    """A seed (of ``type_``), in two of three cases with up to three places changed."""
    seeds = [one for one in SEEDS if one["resourceType"] == type_] or list(SEEDS)
    made: Resource = copy.deepcopy(random.choice(seeds))
    for _ in range(random.choice((0, 1, 3))):
        holder, key = random.choice(places(made) or [(made, "resourceType")])
        match random.randrange(4):
            case 0:
                holder[key] = value(random)
            case 1:
                holder[key] = [holder[key]]
            case 2 if isinstance(holder, dict):
                holder[random.choice(TEXTS)] = value(random)
            case _:
                del holder[key]
    return made


def places(node: Any) -> list[tuple[Any, Any]]:
    """Every place of a value: what holds it and its key there."""
    found: list[tuple[Any, Any]] = []
    keys = list(node) if isinstance(node, dict) else range(len(node)) if isinstance(node, list) else []
    for key in keys:
        found.append((node, key))
        found.extend(places(node[key]))
    return found
