"""What a question about a referral is about: the referral, or what is said in its place; and how it came there."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from services.referrals.app.lookup import require_view
from services.referrals.app.reading import read_all
from services.referrals.domain.descent import MOST_STEPS, Sender, above, senders
from services.referrals.domain.needs import Needs, Requirement, Stated, needs_of
from services.referrals.domain.references import target
from services.referrals.domain.similar import RECENT_DAYS
from shared.engine import Engine
from shared.errors import NotFound, Unprocessable
from shared.fhir.json import Resource, loads
from shared.reading import current
from shared.security.caller import Caller, Role


@dataclass(frozen=True, slots=True)
class Question:
    """A referral (the id of its Task), or an order (its id), or neither: then what is stated counts alone."""

    task: str | None = None
    service_request: str | None = None
    patient: str | None = None
    """A relative reference, where neither is given."""
    part_of: str | None = None
    """The Task that the referral will be part of, where there is no Task yet."""
    owner: str | None = None
    """To whom it will go, where there is no Task yet or it has no owner."""
    stated: Stated = field(default_factory=Stated)
    days: int = RECENT_DAYS
    """How long ago a referral that has ended may have been sent to be a duplicate."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What is known of the referral in question."""

    needs: Needs
    patient: str | None
    requester: str | None
    owner: str | None
    senders: tuple[Sender, ...]
    itself: frozenset[str]
    """Its Task and those that it comes from: no duplicates of it."""


async def subject_of(engine: Engine, caller: Caller, question: Question) -> Subject:
    """Raises ``NotFound`` or ``Gone`` (also for what the caller may not see), ``Unprocessable`` where nothing says what
    the referral is for."""
    task, order = await _referral(engine, caller, question)
    patient = target(task.get("for")) or target(order.get("subject")) or question.patient
    if caller.role is Role.PATIENT and patient not in (None, caller.fhir_user):
        raise NotFound("No such patient.")
    known = await read_all(engine, engine.access(caller), [patient] if patient else [])
    needs = needs_of(task, order, known.get(patient or "", {}), question.stated, engine.clock().date())
    _require_sense(needs)
    requester = target(task.get("requester")) or target(order.get("requester")) or caller.fhir_user
    start = [*(above(task or order) if task or order else ())]
    start += [f"Task/{question.part_of}"] if question.part_of else []
    up = await _descent(engine, caller, start)
    if question.part_of is not None and f"Task/{question.part_of}" not in up:
        raise Unprocessable("There is no such Task to be a part of.", code="not-found", expression=("body.part_of",))
    tasks = {reference for reference in up if reference.startswith("Task/")}
    own = {f"Task/{task['id']}"} if task else set[str]()
    return Subject(
        needs,
        patient,
        requester,
        target(task.get("owner")) or question.owner,
        senders(start, up, requester),
        frozenset(tasks | own),
    )


def _require_sense(needs: Needs) -> None:
    """Raise ``Unprocessable`` where something is asked for and cannot be looked at."""
    if not needs.specialties:
        raise Unprocessable(
            "No code that is known here says what the referral is for: name specialties or a discipline.",
            expression=("body.specialties", "body.discipline"),
        )
    if needs.max_distance_km is not None and needs.place is None:
        raise Unprocessable("Where from is not known: say what it is near.", expression=("body.near",))
    if Requirement.LANGUAGE in needs.required and not needs.languages:
        raise Unprocessable("Which language it must be is not known.", expression=("body.languages",))
    if Requirement.MODALITY in needs.required and not needs.modalities:
        raise Unprocessable("Which modality it must be is not known.", expression=("body.modalities",))


async def _referral(engine: Engine, caller: Caller, question: Question) -> tuple[Resource, Resource]:
    """The Task and the order, as far as there are any."""
    if question.task is not None:
        task: Resource = loads((await current(engine, caller, "Task", question.task)).body)
        require_view(caller, task)
        focus = target(task.get("focus")) or ""
        orders = await read_all(engine, engine.access(caller), [focus] if focus else [])
        return task, orders.get(focus, {})
    if question.service_request is not None:
        order: Resource = loads((await current(engine, caller, "ServiceRequest", question.service_request)).body)
        if caller.role is Role.PATIENT and target(order.get("subject")) != caller.fhir_user:
            raise NotFound("No such order.")
        return {}, order
    return {}, {}


async def _descent(engine: Engine, caller: Caller, start: Iterable[str]) -> Mapping[str, Resource]:
    """The Tasks and orders that lead up from ``start``, as far as the caller may see them."""
    known: dict[str, Resource] = {}
    wanted = set(start)
    for _ in range(MOST_STEPS):
        read = await read_all(engine, engine.access(caller), wanted - known.keys())
        if caller.role is Role.PATIENT:
            read = {name: each for name, each in read.items() if _of(each) == caller.fhir_user}
        known |= read
        wanted = {each for resource in read.values() for each in above(resource)}
        if not wanted - known.keys():
            break
    return known


def _of(resource: Resource) -> str | None:
    return target(resource.get("for")) or target(resource.get("subject"))
