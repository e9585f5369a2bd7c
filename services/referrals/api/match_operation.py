"""``$match`` on a referral or an order: which services can take it, as Parameters, the best first
(http://hl7.org/fhir/R4/operations.html). Its definition is at the gateway; REST tells more of each service.
"""

from services.referrals.app.matching import Warnings, match
from services.referrals.app.subject import Question
from services.referrals.domain.descent import Loop
from services.referrals.domain.matching import Excluded, Match
from shared.engine import Engine
from shared.fhir.http import Request, Response
from shared.fhir.json import Resource, dumps
from shared.fhir.operations.operation import Level, Operation
from shared.fhir.parameters import parameters, parts, value

MOST = 50
"""Matches, and services that are excluded, that one answer tells of."""


async def run(engine: Engine, request: Request) -> Response:
    """200 with Parameters: ``match``, ``excluded`` and ``warning``. Raises what ``match`` does."""
    type_, id_, _ = request.path
    question = Question(task=id_) if type_ == "Task" else Question(service_request=id_)
    matched = await match(engine, request.caller, question)
    told = [
        *(_match(each) for each in matched.ranking.matches[:MOST]),
        *(_excluded(each) for each in matched.ranking.excluded[:MOST]),
        *_warnings(matched.warnings),
    ]
    return Response(200, dumps(parameters(*told)))


def _match(match: Match) -> Resource:
    reasons = (
        parts(
            "reason",
            value("preference", "valueCode", reason.preference),
            value("code", "valueCode", reason.code),
            value("text", "valueString", reason.text),
            value("value", "valueDecimal", round(reason.value, 4)),
            value("weight", "valueDecimal", round(reason.weight, 4)),
        )
        for reason in match.reasons
    )
    score = value("score", "valueDecimal", round(match.score, 4))
    return parts("match", _reference("service", match.candidate.offering.reference), score, *reasons)


def _excluded(excluded: Excluded) -> Resource:
    because = (
        parts("because", value("constraint", "valueCode", each.constraint), value("text", "valueString", each.text))
        for each in excluded.because
    )
    return parts("excluded", _reference("service", excluded.candidate.offering.reference), *because)


def _warnings(warnings: Warnings) -> list[Resource]:
    return [
        *(_warning("duplicate", each.task) for each in warnings.duplicates),
        *(_warning("loop", _origin(each)) for each in warnings.loops),
        *(_warning("return", each.task) for each in warnings.returns),
    ]


def _origin(loop: Loop) -> str:
    return loop.sender.through


def _warning(kind: str, reference: str) -> Resource:
    return parts("warning", value("code", "valueCode", kind), _reference("reference", reference))


def _reference(name: str, reference: str) -> Resource:
    return value(name, "valueReference", {"reference": reference})


MATCH = Operation(
    name="match",
    definition="https://consilium.care/fhir/OperationDefinition/referral-match",
    levels=frozenset({Level.INSTANCE}),
    types=frozenset({"Task", "ServiceRequest"}),
    run=run,
)
