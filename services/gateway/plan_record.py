"""A care plan's record, and CarePlan/[id]/$everything, which streams it as one searchset (docs/everything.md).

What belongs to it: what the plan refers to, what its goals, orders, tasks and team refer to in turn, the orders and
tasks that name the plan, the tasks for its orders, the patient's observations of what its goals measure, who and where
all of these name (practitioners, organizations, ...), and the Provenance of all that.
"""

import re
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping
from contextlib import aclosing
from urllib.parse import quote

from services.gateway.asgi import Answer, ASGIApp, Scope, Send
from services.gateway.records import Found, Key, Record, id_in, require_no_parameters, searchset, stream
from services.gateway.routing import CAREPLANS, REFERRALS, owner_of
from shared.fhir.compartment import patient_compartment
from shared.fhir.json import Resource, loads

_FOLLOWED = frozenset({"Goal", "ServiceRequest", "Task", "CareTeam"})
"""Types all of whose references lead to parts of the record; of others, only those that leave the patient's record."""
_AT_ONCE = 40


async def plan_everything(upstreams: Mapping[str, ASGIApp], scope: Scope, send: Send, body: bytes) -> None:
    """Answers the request in ``scope``. Raises ``ConsiliumError`` while nothing was sent yet."""
    require_no_parameters(body)
    async with aclosing(_parts(PlanRecord(upstreams, scope))) as parts:
        await stream(parts, scope, send)


async def _parts(record: "PlanRecord") -> AsyncGenerator[bytes | Answer, None]:
    begun = False
    async with aclosing(record.found()) as found:
        async for some in found:
            if isinstance(some, Answer):
                yield some
                return
            if begun:
                yield b"," + b",".join(record.entry(each, "include") for each in some)
                continue
            (plan,) = some
            url = f"{record.base}/CarePlan/{plan.key[1]}/$everything"
            yield searchset(url) + record.entry(plan, "match")
            begun = True
    yield b"]}"


class PlanRecord(Record):
    """The record of the plan that the path in ``scope`` names. Raises ``NotFound`` for what is no id."""

    def __init__(self, upstreams: Mapping[str, ASGIApp], scope: Scope) -> None:
        super().__init__(upstreams, scope)
        self.plan: Key = ("CarePlan", id_in(scope))
        self._orders: list[str] = []
        """Of which the tasks were not looked for."""
        self._measured: dict[str, None] = {}
        """``system|code`` of what goals measure."""

    def follows(self, of: Key, to: str) -> bool:
        """See ``_FOLLOWED``."""
        return of == self.plan or of[0] in _FOLLOWED or to not in patient_compartment()

    def note(self, of: Key, raw: bytes) -> None:
        """What leads on from ``of``."""
        super().note(of, raw)
        if of[0] == "ServiceRequest":
            self._orders.append(of[1])
        elif of[0] == "Goal":
            self._measured.update(dict.fromkeys(_measures(loads(raw))))

    async def found(self) -> AsyncGenerator[list[Found] | Answer, None]:
        """The plan alone, then the rest as it is found, each thing once; an ``Answer`` is a refusal and the end."""
        _, id_ = self.plan
        answer = await self.ask(CAREPLANS, f"/fhir/CarePlan/{id_}")
        if answer.status != 200:
            yield answer
            return
        plan = Found(self.plan, answer.body)
        self.take([plan])
        # the first answer tells what this server is called, so it comes before the plan is shown
        naming = [some async for some in self.search(REFERRALS, "ServiceRequest", f"based-on=CarePlan/{id_}")]
        yield [plan]
        for some in naming:
            yield some
        async for some in self.search(REFERRALS, "Task", f"based-on=CarePlan/{id_}"):
            yield some
        async for some in self._referred_and_done():
            yield some
        patient = loads(plan.resource)["subject"].get("reference", "")
        if self._measured and patient.startswith("Patient/"):
            for codes in _some(list(self._measured)):
                query = f"patient={quote(patient)}&code={','.join(codes)}"
                async for some in self.search(CAREPLANS, "Observation", query):
                    yield some
        async for some in self.beside(patient if patient.startswith("Patient/") else None):
            yield some
        async for some in self.referred():
            yield some

    async def beside(self, patient: str | None) -> AsyncIterator[list[Found]]:
        """What else is to be shown of the record, or of ``patient`` (``Patient/[id]``): Provenance."""
        for service in self.upstreams:
            owned = [f"{type_}/{id_}" for type_, id_ in sorted(self.shown) if owner_of(type_) == service]
            for targets in _some(owned):
                async for some in self.search(service, "Provenance", f"target={','.join(targets)}"):
                    yield some

    async def _referred_and_done(self) -> AsyncIterator[list[Found]]:
        """What is referred to, the tasks for the orders among that, and what these refer to."""
        while True:
            async for some in self.referred():
                yield some
            if not self._orders:
                return
            orders, self._orders = self._orders, []
            for ids in _some(orders):
                focus = ",".join(f"ServiceRequest/{id_}" for id_ in ids)
                async for some in self.search(REFERRALS, "Task", f"focus={focus}"):
                    yield some


def _measures(goal: Resource) -> Iterator[str]:
    """The search values of the codes in ``Goal.target.measure``."""
    for target in goal.get("target", ()):
        for coding in target.get("measure", {}).get("coding", ()):
            if "code" in coding and "system" in coding:
                parts = (coding["system"], coding["code"])
                yield "|".join(
                    quote(part.replace("\\", "\\\\").replace(",", "\\,").replace("|", "\\|")) for part in parts
                )


def _escaped(text: str) -> str:
    """http://hl7.org/fhir/R4/search.html#escaping"""
    return re.sub(r"([\\,|$])", r"\\\1", text)


def _some(names: list[str]) -> Iterator[list[str]]:
    return (names[start : start + _AT_ONCE] for start in range(0, len(names), _AT_ONCE))
