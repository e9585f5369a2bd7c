"""A year of referrals: what becomes of each, and what its clocks should tell of that."""

import random
from bisect import bisect_left
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from services.referrals.app.place import calendar_of_place
from services.referrals.domain.calendar import share
from services.referrals.domain.clocks import SHARES, Stage, stages_of
from services.referrals.domain.milestones import wait_of
from services.referrals.domain.targets import target
from services.referrals.domain.transitions import State

BEGIN = datetime(2026, 1, 5, 8, tzinfo=UTC)
PER_DAY = 1
STEP = timedelta(days=1) / PER_DAY
STEPS = 365 * PER_DAY
DISCIPLINES = {"308459004": "mental-health", "308447003": "physical-therapy", "306265007": "pain-medicine"}
"""By the code of the order."""

NEXT: dict[str, tuple[tuple[str, float, float], ...]] = {
    # from: (to, weight, days that it takes on average)
    "received 2.0": (("accepted 3.0", 0.75, 4), ("rejected 4.0", 0.1, 5), ("in-progress 5.2", 0.1, 20)),
    "accepted 3.0": (("in-progress 5.1.1", 0.8, 8), ("in-progress 5.1.4", 0.1, 6), ("rejected 4.0", 0.05, 9)),
    "in-progress 5.1.1": (
        ("in-progress 5.1.4", 0.65, 18),
        ("in-progress 5.1.2", 0.15, 20),
        ("in-progress 5.1.1", 0.1, 6),
        ("in-progress 5.1.3", 0.05, 9),
    ),
    "in-progress 5.1.2": (("in-progress 5.1.1", 0.8, 9), ("in-progress 5.2", 0.1, 30)),
    "in-progress 5.1.3": (("in-progress 5.1.1", 0.9, 7),),
    "in-progress 5.1.4": (("completed 7.0", 0.9, 9), ("in-progress 5.1.4", 0.05, 7)),
    "in-progress 5.2": (("cancelled 6.0", 0.95, 3),),
}
"""What is missing of 1 is the share that nobody takes any further."""


@dataclass
class Course:
    """One referral: when (in steps) it comes into each state."""

    id: str
    code: str
    priority: str
    states: list[tuple[int, str]] = field(default_factory=list)
    visit: datetime | None = None
    """When the appointment was made that it has now."""

    def told(self) -> set[tuple[int, int, Stage]]:
        """(the step at which its wait began, the step at which it is told, the stage), of every stage that falls due
        while it waits. Of those at one step the last counts."""
        found: dict[tuple[int, int], Stage] = {}
        for begun, ended, state in self._waits():
            wait = wait_of(State(*state.split()))
            if wait is None:
                continue
            length = target(DISCIPLINES[self.code], self.priority, wait)
            for stage in stages_of(wait):
                planned = share(at(begun), length, SHARES[stage], calendar_of_place())
                # at a step somebody acts before the clocks are looked at
                step = bisect_left(_Steps(), planned)
                if step < ended:
                    found[begun, step] = stage
        return {(begun, step, stage) for (begun, step), stage in found.items()}

    def _waits(self) -> list[tuple[int, int, str]]:
        """(from, until, a state in it) of each wait: a note after a note is the same one, a new appointment is not."""
        begun: list[tuple[int, str]] = []
        for step, state in self.states:
            wait = wait_of(State(*state.split()))
            same = begun and wait == wait_of(State(*begun[-1][1].split())) and state != "in-progress 5.1.1"
            if not same:
                begun.append((step, state))
        ends = [*(step for step, _ in begun[1:]), END]
        return [(step, end, state) for (step, state), end in zip(begun, ends, strict=True)]


END = STEPS + 100 * PER_DAY
"""By then every clock has told everything."""


class _Steps:
    """The moments of all steps, for a binary search."""

    def __len__(self) -> int:
        return END + 1

    def __getitem__(self, step: int) -> datetime:
        return at(step)


def at(step: int) -> datetime:
    """The moment of a step."""
    return BEGIN + step * STEP


def courses(count: int, seed: int) -> list[Course]:
    """``count`` referrals, sent over the year."""
    chance = random.Random(seed)
    return [_course(f"t{number}", chance) for number in range(count)]


def _course(id: str, chance: random.Random) -> Course:
    priorities = ("routine", "urgent", "asap", "stat")
    priority = chance.choices(priorities, (70, 20, 8, 2))[0]
    course = Course(id, chance.choice(list(DISCIPLINES)), priority)
    step, state = chance.randrange(STEPS), "received 2.0"
    while step < STEPS:
        course.states.append((step, state))
        pick = chance.random()
        for following, weight, days in NEXT.get(state, ()):
            pick -= weight
            if pick < 0:
                step, state = step + 1 + int(chance.expovariate(1 / (PER_DAY * days))), following
                break
        else:
            break
    return course
