"""The account that a proposal gives of every action, proposed or not, as extensions of the RequestGroup."""

from collections.abc import Iterator

from services.careplans.domain.applying.extensions import CONSIDERED, NEEDS
from services.careplans.domain.applying.inputs import Input
from services.careplans.domain.applying.proposal import Considered, Judged, Proposal
from shared.fhir.json import Resource

RESULTS = {True: "true", False: "false", None: "unknown"}


def accounts(proposal: Proposal) -> Iterator[Resource]:
    """One ``action-considered`` per action, then one ``proposal-needs`` per missing input."""
    yield from (_account(each) for each in proposal.all())
    yield from ({"url": NEEDS, "valueString": entry.note} for entry in proposal.needs())


def _account(considered: Considered) -> Resource:
    parts: list[Resource] = [
        {"url": "action", "valueString": considered.id},
        {"url": "title", "valueString": considered.title},
        {"url": "outcome", "valueCode": considered.outcome.value},
        {"url": "reason", "valueString": considered.reason},
    ]
    parts += [_judged("condition", each) for each in considered.conditions]
    parts += [_judged("contraindication", each) for each in considered.contraindications]
    parts += [_judged("caution", each) for each in considered.cautions]
    return {"url": CONSIDERED, "extension": parts}


def _judged(name: str, judged: Judged) -> Resource:
    parts: list[Resource] = [
        {"url": "text", "valueString": judged.text},
        {"url": "result", "valueCode": RESULTS[judged.result]},
    ]
    if judged.expression is not None:
        parts.append({"url": "expression", "valueString": judged.expression})
    parts += [_input(entry) for entry in judged.inputs]
    return {"url": name, "extension": parts}


def _input(entry: Input) -> Resource:
    parts: list[Resource] = [
        {"url": "name", "valueString": entry.name},
        {"url": "told", "valueString": entry.told()},
        *({"url": "reference", "valueReference": {"reference": reference}} for reference in entry.references),
    ]
    return {"url": "input", "extension": parts}
