"""Which referrals are looked for: by parameters of the query, and by a saved filter where one is named."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from services.referrals.api.asking import (
    OWNER,
    PATIENT,
    REQUESTER,
    BusinessStatus,
    BusinessStatuses,
    OwnerReference,
    PatientReference,
    Priority,
    RequesterReference,
    Status,
    Statuses,
    patient_reference,
)
from services.referrals.app import filters
from services.referrals.domain.standing import PRIORITIES
from services.referrals.domain.worklists import Worklist
from services.referrals.store.worklists import Filter
from shared.errors import NotFound
from shared.security.caller import Discipline
from shared.security.dependency import CurrentCaller

FILTER_NAME = "^[a-z0-9][a-z0-9-]{0,63}$"
FilterQuery = Annotated[
    str | None, Query(pattern=FILTER_NAME, description="A saved filter; what else is said here goes before it.")
]


class Search(BaseModel):
    """The parameters of a worklist, as a saved filter has them."""

    model_config = ConfigDict(extra="forbid")

    list: Worklist | None = None
    status: Annotated[tuple[Status, ...], Field(max_length=len(Status))] = ()
    business_status: Annotated[tuple[BusinessStatus, ...], Field(max_length=len(BusinessStatus))] = ()
    discipline: Discipline | None = None
    priority: Priority | None = None
    patient: str | None = Field(default=None, pattern=PATIENT)
    requester: str | None = Field(default=None, pattern=REQUESTER)
    owner: str | None = Field(default=None, pattern=OWNER)


@dataclass(frozen=True, slots=True)
class Asked:
    """The filter, and the list that a saved one names."""

    filter: Filter
    list: Worklist | None = None

    def on(self, list: Worklist | None) -> Worklist:
        """The list to look at, where ``list`` is asked for."""
        return list or self.list or (Worklist.ALL if self.filter.status else Worklist.OPEN)


async def _asked(
    request: Request,
    caller: CurrentCaller,
    filter: FilterQuery = None,
    status: Statuses = [],  # noqa: B006  FastAPI copies it
    business_status: BusinessStatuses = [],  # noqa: B006  FastAPI copies it
    discipline: Discipline | None = None,
    priority: Priority | None = None,
    patient: PatientReference = None,
    requester: RequesterReference = None,
    owner: OwnerReference = None,
) -> Asked:
    kept = Search() if filter is None else await _saved(request, caller, filter)
    pressing = priority or kept.priority
    wanted = Filter(
        tuple(status) or kept.status,
        tuple(business_status) or kept.business_status,
        discipline or kept.discipline,
        None if pressing is None else PRIORITIES[pressing],
        patient_reference(patient or kept.patient),
        requester=requester or kept.requester,
        owner=owner or kept.owner,
    )
    return Asked(wanted, kept.list)


async def _saved(request: Request, caller: CurrentCaller, name: str) -> Search:
    try:
        found = await filters.saved(request.app.state.engine, caller, name)
    except NotFound:
        raise NotFound("No such filter.", expression=("query.filter",)) from None
    return Search.model_validate(found.wanted)


Wanted = Annotated[Asked, Depends(_asked)]
"""A route's parameter type."""
