"""What a QuestionnaireResponse leads to: the Observations of its scores, made, amended and withdrawn with it."""

from collections.abc import Iterator
from datetime import datetime
from functools import partial
from uuid import UUID, uuid5

from services.careplans.domain.measures.answers import Reading, read
from services.careplans.domain.measures.catalogue import BY_ID
from services.careplans.domain.measures.observation import observation, of_patient, renewed, withdrawn
from services.careplans.domain.measures.scoring import holds, score
from shared.fhir.json import Resource
from shared.fhir.kinds import Consequence

SCORED = frozenset({"completed", "amended"})
"""Statuses of responses from which scores are made; those that exist already follow others, too."""
_NAMESPACE = UUID("7d1c1f0e-54a4-5c0b-9a3e-0f6f4b1a9a11")


def observation_id(response_id: str, measure_id: str) -> str:
    """The id of the Observation of one measure in one response: always the same."""
    return str(uuid5(_NAMESPACE, f"{response_id}|{measure_id}"))


def scores(before: Resource | None, after: Resource | None, response_id: str, now: datetime) -> tuple[Consequence, ...]:
    """What one write of a response means for its Observations.

    A response that is not about a patient has none, nor has a mistake; what an earlier version had is withdrawn."""
    return tuple(_scores(before, after, response_id, now))


def _scores(before: Resource | None, after: Resource | None, response_id: str, now: datetime) -> Iterator[Consequence]:
    had, has = _held(before), {} if _mistaken(after) else _held(after)
    for measure_id, reading in has.items():
        assert after is not None, "what is not there holds no measure"
        made = observation(score(BY_ID[measure_id], reading), after, response_id, now)
        yield Consequence(
            f"Observation/{observation_id(response_id, measure_id)}",
            partial(renewed, made=made, status=after["status"]),
            made if after["status"] in SCORED else None,
        )
    for measure_id in had.keys() - has.keys():
        yield Consequence(
            f"Observation/{observation_id(response_id, measure_id)}",
            partial(withdrawn, now=now, orphaned=after is None),
        )


def _held(response: Resource | None) -> dict[str, Reading]:
    if response is None or not of_patient(response):
        return {}
    readings = read(response)
    return {name: reading for name, reading in readings.items() if holds(BY_ID[name], reading)}


def _mistaken(response: Resource | None) -> bool:
    return response is not None and response.get("status") == "entered-in-error"
