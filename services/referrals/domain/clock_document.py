"""``docs/referral-clocks.md``, written from the tables: ``python -m services.referrals.domain.clock_document``."""

from collections.abc import Iterable, Iterator

from services.referrals.domain.clocks import LATE, SHARES, addressee, stages_of
from services.referrals.domain.milestones import FURTHEST, WAITS, Wait
from services.referrals.domain.targets import DEFAULTS, PARTICULAR, SOURCES, Priority, target

_HEAD = """# The clocks of a referral

Written from the tables in `services/referrals/domain`; do not edit. A test compares it with them. The states are those
of [referral-states.md](referral-states.md).

While a referral is open, somebody is waited for, and a clock runs. It starts with the wait and ends with it:

- The same wait runs on, whatever else changes in the Task. Another appointment (`rescheduled`) is another wait for the
  visit and starts its clock anew.
- Priority and discipline count as they are now: who makes a referral urgent shortens the wait that runs, from when it
  began. What was told stays told.
- The wait for closing ends when the referrer acknowledges the report; no state of a Task says so.
"""

_STATES = """
## What is waited for

The most particular row counts. A draft, and what has ended without a report, waits for nobody. The furthest milestone
is the one that the state proves; it implies those before it, except that a patient who walks in was never scheduled. A
visit told in `executionPeriod.start` proves that the patient was seen. `closed` is proven by no state.
"""

_TARGETS = """
## How long at most

`d` are business days: the deadline is at the same time of day, by the clocks of the place, on the n-th business day.
What begins on a weekend or a holiday begins with the next business day (`CONSILIUM_HOLIDAYS`, `CONSILIUM_TIME_ZONE`).
`h` are hours round the clock. The visit is counted from when the appointment was given. The priority is that of the
Task, else of its order; without one a referral is routine.

The times are defaults of ours, and no rules of care: a network sets its own in `domain/targets.py`. Those of particular
visits follow regulations, which count from the request, so that to keep ours is no proof of keeping theirs:

{sources}
"""

_STAGES = """
## Who is told, and when

The recipient is `Task.owner`, the initiator `Task.requester`. A percentage is the share of the target time. What is
told more than {late} minutes after its plan is late. Where several stages are due at once, as after an outage, only the
latest is told and names those that it passed over. A referral is offered to somebody else only before the patient was
seen.
"""


def render() -> str:
    """The whole document, as Markdown."""
    late = int(LATE.total_seconds() // 60)
    return "".join(
        (
            _HEAD,
            _STATES,
            _table(("state", "waits for", "furthest milestone"), _states()),
            _TARGETS.format(sources="\n".join(f"- {source}" for source in SOURCES)),
            _table(("discipline", "priority", *Wait), _targets()),
            _STAGES.format(late=late),
            _table(("wait", *(f"{stage} ({share:.0%})" for stage, share in SHARES.items())), _stages()),
        )
    )


def _states() -> Iterator[tuple[str, ...]]:
    for state in FURTHEST:
        # where a table has no row for the business status, the status alone counts
        wait = WAITS.get(state) or WAITS.get(state.split()[0])
        yield state, wait or "nobody", FURTHEST[state]


def _targets() -> Iterator[tuple[str, ...]]:
    for priority in DEFAULTS:
        yield "any", priority, *(str(target(None, priority, wait)) for wait in Wait)
    for discipline, priority in PARTICULAR:
        yield discipline, priority, *(_particular(discipline, priority, wait) for wait in Wait)


def _particular(discipline: str, priority: Priority, wait: Wait) -> str:
    return str(target(discipline, priority, wait)) if wait in PARTICULAR[discipline, priority] else "as any"


def _stages() -> Iterator[tuple[str, ...]]:
    for wait in Wait:
        stages = stages_of(wait)
        yield wait, *(addressee(stage, wait) if stage in stages else "" for stage in SHARES)


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [f"| {' | '.join(line)} |\n" for line in (head, *rows)]
    return "".join(("\n", lines[0], "|---" * len(head), "|\n", *lines[1:]))


if __name__ == "__main__":
    print(render(), end="")
