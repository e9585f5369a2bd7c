"""A steady mixed load: so many requests per second are begun, ``OPEN`` at most are open; each answer is judged."""

import asyncio
import itertools
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx

from tests.e2e.referring import Place, Sent, located, referral
from tests.factories.resources import care_plan, observation
from tests.factories.system import EHR, PSYCHOLOGIST, SPECIALIST, THERAPIST

OPEN = 24
"""Requests that are open at once, at most: a machine that is too slow lowers the rate instead of drowning."""


@dataclass
class Load:
    """Reads, searches, creates, updates and referral transactions, ``per_second`` in all."""

    place: Place
    patients: Sequence[str]
    per_second: int
    sent: list[Sent] = field(default_factory=list)
    """Referrals that were acknowledged."""
    failures: list[str] = field(default_factory=list)
    """What was not answered as it should be."""
    answered: Counter[str] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)
    began: float = field(default_factory=time.monotonic)
    took: float = 0.0

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Load"]:
        """Load inside the block; everything is answered when it ends."""
        stop = asyncio.Event()
        sending = asyncio.create_task(self._send(stop))
        try:
            yield self
        finally:
            stop.set()
            await sending

    async def flows(self) -> bool:
        """A second's worth was answered."""
        return self.answered.total() >= self.per_second

    def told(self) -> str:
        """One line of figures."""
        ordered, many = sorted(self.seconds) or [0.0], self.answered.total()
        return (
            f"{many} answered in {self.took:.1f} s ({many / max(self.took, 0.1):.0f}/s), {dict(self.answered)};"
            f" {len(self.failures)} failed {Counter(self.failures).most_common(8)};"
            f" p50 {ordered[len(ordered) // 2] * 1000:.0f} ms, p99 {ordered[int(len(ordered) * 0.99)] * 1000:.0f} ms,"
            f" max {ordered[-1] * 1000:.0f} ms"
        )

    async def _send(self, stop: asyncio.Event) -> None:
        began, open_ = time.monotonic(), set[asyncio.Task[None]]()
        for number in itertools.count():
            if stop.is_set():
                break
            task = asyncio.create_task(self._one(number))
            open_.add(task)
            task.add_done_callback(open_.discard)
            while len(open_) >= OPEN:
                await asyncio.wait(open_, return_when=asyncio.FIRST_COMPLETED)
            await asyncio.sleep(max(0.0, began + (number + 1) / self.per_second - time.monotonic()))
        await asyncio.gather(*open_)
        self.took = time.monotonic() - began

    async def _one(self, number: int) -> None:
        kind = KINDS[number % len(KINDS)]
        began = time.monotonic()
        try:
            answer = await getattr(self, f"_{kind}")(number, self.patients[number % len(self.patients)])
        except httpx.TransportError as error:
            self.failures.append(f"{kind}: {type(error).__name__} {error}")
            return
        self.seconds.append(time.monotonic() - began)
        if answer.is_success:
            self.answered[kind] += 1
        else:
            self.failures.append(f"{kind}: {answer.status_code} {answer.text[:160]}")

    async def _read(self, number: int, patient: str) -> httpx.Response:
        return await self.place.by(EHR).get(f"/fhir/{patient}")

    async def _search(self, number: int, patient: str) -> httpx.Response:
        return await self.place.by(EHR).get("/fhir/Task", params={"patient": patient, "_count": "5"})

    async def _messages(self, number: int, patient: str) -> httpx.Response:
        return await self.place.by(SPECIALIST).get("/api/notifications/messages")

    async def _create(self, number: int, patient: str) -> httpx.Response:
        return await self.place.by(EHR).post("/fhir/Observation", json=observation(patient))

    async def _update(self, number: int, patient: str) -> httpx.Response:
        plan = care_plan(patient, id=f"load-{patient.partition('/')[2]}", title=f"turn {number}")
        return await self.place.by(EHR).put(f"/fhir/CarePlan/{plan['id']}", json=plan)

    async def _referral(self, number: int, patient: str) -> httpx.Response:
        owner = (PSYCHOLOGIST, THERAPIST)[number % 2]
        answer = await self.place.by(SPECIALIST).post("/fhir", json=referral(patient, owner))
        if answer.status_code == 200:
            order, task = answer.json()["entry"]
            self.sent.append(Sent(located(task), located(order), patient, owner))
        return answer


KINDS = ("read", "search", "create", "read", "update", "read", "search", "messages", "create", "referral")
"""What each of ten requests is."""
