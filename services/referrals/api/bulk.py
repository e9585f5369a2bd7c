"""``POST /api/referrals/bulk``: one action on many referrals, with a result for each."""

from typing import Annotated, Any, Self

from fastapi import APIRouter, Body, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from services.referrals.api.asking import ID
from services.referrals.api.inputs import Inputs
from services.referrals.api.keyed import Once
from services.referrals.api.versions import etag, seen
from services.referrals.app.bulk import Item, perform_all
from services.referrals.app.commands import Asked
from services.referrals.app.once import Outcome
from services.referrals.domain.actions import Code
from services.referrals.domain.inputs import Name
from shared.engine import Engine
from shared.errors import ConsiliumError, Issue, Unprocessable
from shared.idempotency import REPLAYED
from shared.problem import details_of
from shared.security.dependency import CurrentCaller

MOST_ITEMS = 200

router = APIRouter(prefix="/referrals", tags=["referrals"])


class BulkItem(BaseModel):
    """A referral, as a worklist names it, in the version that was seen."""

    model_config = ConfigDict(extra="forbid")

    task: str = Field(pattern=f"^(Task/)?{ID}$")
    version: int = Field(ge=1, le=999_999_999)

    @property
    def id(self) -> str:
        """The Task's."""
        return self.task.removeprefix("Task/")


class Bulk(BaseModel):
    """One action with its inputs, and the referrals on which to take it."""

    model_config = ConfigDict(extra="forbid")

    action: Code
    inputs: Inputs = Inputs()
    items: list[BulkItem] = Field(min_length=1, max_length=MOST_ITEMS)


class ProblemIssue(BaseModel):
    """One finding."""

    code: str
    text: str
    expression: list[str]


class Problem(BaseModel):
    """A problem (RFC 9457), as the single action would have been answered."""

    type: str
    title: str
    status: int
    detail: str | None = None
    issues: list[ProblemIssue] = []
    trace_id: str | None = None


class Result(BaseModel):
    """What became of one item."""

    task: str
    status: int
    """As HTTP has it."""
    referral: str | None = None
    """What it led to: the referral itself, or the one that takes its place."""
    etag: str | None = None
    """Of that referral."""
    replayed: bool | None = None
    """It was done before, under the same Idempotency-Key."""
    problem: Problem | None = None

    @classmethod
    def of(cls, item: BulkItem, became: Outcome | ConsiliumError) -> Self:
        """As the use case told it."""
        task = f"Task/{item.id}"
        if isinstance(became, ConsiliumError):
            problem = Problem.model_validate(details_of(became))
            return cls(task=task, status=problem.status, problem=problem)
        led = became.led
        return cls(
            task=task,
            status=led.status,
            referral=f"Task/{led.task}",
            etag=etag(led.version),
            replayed=became.replayed or None,
        )


class Results(BaseModel):
    """What became of each item, in their order."""

    done: int
    refused: int
    results: list[Result]


_SEEN = [{"task": "Task/0198c7d2", "version": 1}, {"task": "Task/0198c7d3", "version": 4}]
EXAMPLES: dict[str, Any] = {
    "assign": {
        "summary": "Assign, or hand over",
        "value": {"action": "assign", "inputs": {"owner": "PractitionerRole/psychologist"}, "items": _SEEN},
    },
    "reroute": {
        "summary": "Offer to somebody else",
        "value": {
            "action": "reroute",
            "inputs": {"owner": "HealthcareService/pain-group", "reason": "No place before summer."},
            "items": _SEEN,
        },
    },
    "acknowledge": {"summary": "Acknowledge receipt", "value": {"action": "acknowledge", "items": _SEEN}},
}


@router.post("/bulk", response_model_exclude_none=True)
async def bulk(
    request: Request,
    caller: CurrentCaller,
    response: Response,
    claim: Once,
    body: Annotated[Bulk, Body(openapi_examples=EXAMPLES)],
) -> Results:
    """Take one action on up to 200 referrals. Each is done or refused by itself; the answer is 200 whatever became of
    them. Under an Idempotency-Key, the same request again does what was refused or lost, and nothing twice."""
    _refuse_repeated(body.items)
    engine: Engine = request.app.state.engine
    asked = Asked(body.action, body.inputs.given(), _where)
    items = [Item(each.id, seen(each.version)) for each in body.items]
    became = await perform_all(engine, caller, asked, items, claim)
    if all(isinstance(each, Outcome) and each.replayed for each in became):
        response.headers[REPLAYED] = "true"
    refused = sum(isinstance(each, ConsiliumError) for each in became)
    results = [Result.of(item, each) for item, each in zip(body.items, became, strict=True)]
    return Results(done=len(results) - refused, refused=refused, results=results)


def _where(name: Name) -> str:
    return f"body.inputs.{name}"


def _refuse_repeated(items: list[BulkItem]) -> None:
    known = set[str]()
    issues = list[Issue]()
    for number, item in enumerate(items):
        if item.id in known:
            issues.append(Issue("duplicate", "Each referral comes once.", (f"body.items.{number}.task",)))
        known.add(item.id)
    if issues:
        raise Unprocessable.of(tuple(issues))
