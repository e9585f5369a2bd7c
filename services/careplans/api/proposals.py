"""``/api/plans/[id]/proposals``: what the catalogue proposes for a patient, and what people decide."""

from typing import Annotated, Literal

from fastapi import APIRouter, Body, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from services.careplans.api.asking import ID, PlanId
from services.careplans.app import offers, proposals
from services.careplans.app.offers import ProposalView
from services.careplans.domain.applying.circumstances import Circumstances, Declined
from services.careplans.domain.proposals.deciding import OWNERS, Decision
from services.careplans.domain.proposals.recorded import Answer
from shared.engine import Engine
from shared.security.dependency import CurrentCaller
from shared.store.resources import Stored
from shared.unit_of_work import UnitOfWork

router = APIRouter(prefix="/plans", tags=["proposals"])

Words = Annotated[str, Field(min_length=1, max_length=4_000, pattern=r"\S")]
Treatment = Annotated[str, Field(pattern=r"^[a-z0-9-]{1,64}$", description="A code of the catalogue, or of a group.")]
Days = Annotated[int, Field(ge=0, le=3650)]


class Sent(BaseModel):
    """Nothing that is not known."""

    model_config = ConfigDict(extra="forbid")


class DeclinedTreatment(Sent):
    """A treatment that the patient does not want."""

    treatment: Treatment
    reason: Words | None = None


class Wanted(Sent):
    """What to apply, and what the patient says; what is left out is read from the record."""

    definition: str = Field(pattern=f"^(PlanDefinition|ActivityDefinition)/{ID}$")
    declined: list[DeclinedTreatment] = Field(default=[], max_length=100)
    preferred: list[Treatment] = Field(default=[], max_length=100)
    telehealth: bool | None = None
    groups: bool | None = None
    language: Words | None = None
    times: Words | None = None
    matters: Words | None = None
    waits: dict[Literal["pain-medicine", "mental-health", "physical-therapy"], Days] = Field(
        default={}, description="Days until the next free visit nearby."
    )

    def circumstances(self) -> Circumstances:
        """As the rules know them."""
        return Circumstances(
            declined=tuple(Declined(each.treatment, each.reason or "") for each in self.declined),
            preferred=frozenset(self.preferred),
            telehealth=self.telehealth,
            groups=self.groups,
            language=self.language,
            times=self.times,
            matters=self.matters,
            waits={str(discipline): days for discipline, days in self.waits.items()},
        )


class DecisionSent(Sent):
    """A decision on one action."""

    action: Words
    answer: Answer
    reason: Words | None = Field(default=None, description="Needed to decline, and to change the text.")
    patient: bool = Field(default=False, description="Of what is declined: the patient does.")
    description: Words | None = Field(default=None, description="The text in place of the proposed one.")
    discipline: Literal["pain-medicine", "mental-health", "physical-therapy"] | None = None
    priority: Literal["routine", "urgent", "asap", "stat"] | None = None
    owner: str | None = Field(default=None, pattern=f"^({'|'.join(OWNERS)})/{ID}$", description="Who is asked.")
    refer: bool | None = Field(default=None, description="Whether it becomes a referral; null: as the rule has it.")


class Decisions(Sent):
    """What is decided together."""

    decisions: list[DecisionSent] = Field(min_length=1, max_length=100)


PROPOSALS = {
    "stepped care": {"value": {"definition": "PlanDefinition/stepped-care"}},
    "while waiting": {
        "value": {
            "definition": "PlanDefinition/bridging",
            "telehealth": True,
            "groups": False,
            "waits": {"mental-health": 60},
            "declined": [{"treatment": "yoga", "reason": "It hurt my neck"}],
        }
    },
}
DECISIONS = {
    "two treatments": {
        "value": {
            "decisions": [
                {"action": "cbt-individual", "answer": "accept", "owner": "Organization/mind", "priority": "urgent"},
                {"action": "relaxation", "answer": "decline", "reason": "Does not like it", "patient": True},
            ]
        }
    },
}


@router.get("/{plan_id}/proposals")
async def proposals_of(request: Request, caller: CurrentCaller, plan_id: PlanId) -> list[ProposalView]:
    """The newest 50 proposals for the plan, the newest first: what is offered and why, what is not and why not, what
    was decided, and how the referrals stand that came of it."""
    return await offers.proposals_of(_engine(request), caller, plan_id)


@router.get("/{plan_id}/proposals/{proposal_id}")
async def proposal(request: Request, caller: CurrentCaller, plan_id: PlanId, proposal_id: PlanId) -> ProposalView:
    """One proposal for the plan."""
    return await offers.proposal(_engine(request), caller, plan_id, proposal_id)


@router.post("/{plan_id}/proposals", status_code=201)
async def propose(
    request: Request,
    caller: CurrentCaller,
    plan_id: PlanId,
    response: Response,
    body: Annotated[Wanted, Body(openapi_examples=PROPOSALS)],
) -> ProposalView:
    """Apply a definition to the plan's patient. 201 with the new proposal; 200 with the one that says the same already.
    One of the same definition that nobody has decided on is revoked."""
    type_, _, id_ = body.definition.partition("/")
    engine = _engine(request)
    made = await proposals.propose(engine, caller, plan_id, (type_, id_), body.circumstances())
    if not made.new:
        response.status_code = 200
    return await offers.proposal_view(engine, caller, plan_id, made.stored)


@router.post("/{plan_id}/proposals/{proposal_id}/decisions")
async def decide(
    request: Request,
    caller: CurrentCaller,
    plan_id: PlanId,
    proposal_id: PlanId,
    body: Annotated[Decisions, Body(openapi_examples=DECISIONS)],
) -> ProposalView:
    """Accept or decline actions of a proposal, all or nothing. What is accepted is an activity of the plan at once, and
    a referral where another discipline must act. Safe to repeat."""
    asked = [Decision(**each.model_dump()) for each in body.decisions]

    def any_version(work: UnitOfWork, stored: Stored) -> None:
        """Decisions on other actions do not matter to these."""

    engine = _engine(request)
    stored = await proposals.decide(engine, caller, proposal_id, asked, plan_id=plan_id, precondition=any_version)
    return await offers.proposal_view(engine, caller, plan_id, stored)


def _engine(request: Request) -> Engine:
    engine: Engine = request.app.state.engine
    return engine
