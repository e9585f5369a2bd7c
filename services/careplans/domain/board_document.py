"""``docs/plan-board.md``, written from the tables: ``python -m services.careplans.domain.board_document``."""

from collections.abc import Iterator

from services.careplans.domain.board import SHAPES
from services.careplans.domain.chain import ABOUT, FOLLOWED_FOR
from services.careplans.domain.chain import SOURCE as CHAIN_SOURCE
from services.careplans.domain.evidence import EACH, ELEMENTS, FIRST, SOURCE, Element
from services.careplans.domain.measures.measure import Source
from services.careplans.domain.measures.stepped_care import ON_TARGET
from services.careplans.domain.standing import (
    FLAGS,
    GAPS,
    MEASURED_SOURCE,
    MEASURED_WITHIN,
    STALE_AFTER,
    STILL_TAKEN,
)
from services.careplans.domain.uncertainty import RED_FLAG, REVISIT_BY

_HEAD = """# The plan board

Written from the tables in `services/careplans/domain` (`standing.py`, `board.py`, `chain.py`,
`evidence.py`); do not edit. A test compares it with them. The limits are advisory, and need a clinician's
signature before clinical use.

`GET /api/plans/board?list=` gives the shared plans of a list, a page at a time; `discipline`, `member` and `due_before`
narrow it, and `/counts` tells how many are on each. How a plan stands is kept in the transaction of whatever is written
to it, its team, its goals or the patient's scores.

| list | plans |
|---|---|
"""
_REVIEWS = """
## The next review

The earliest that the patient's measures ask for ([stepped care](measures.md#stepped-care)), of those that are still
taken: one whose last score is more than {taken} weeks older than the newest score of all is not. After a review that is
later than every score, or without scores, it is {on} weeks after the review, or after the plan was made.

## Gaps

| code | what |
|---|---|
"""
_FLAGS = """
## Flags

| code | what |
|---|---|
"""
_UNCERTAIN = """
## Diagnoses that are not certain

A Condition whose `verificationStatus` is `provisional`, `differential` or `unconfirmed` says by when it is looked at
again (extension `{revisit}`, a `valueDate`) and lists its red flags (extension
`{flag}`, one each). The plan is due for review on that day. When it has passed, a worker tells it once
for each date (`diagnosis.revisit-due.v1`), and the plan has a flag, until the diagnosis is certain or has a new date.
`GET /api/plans/revisits` lists what is to be looked at again.
"""
_LIMITS = """
## Limits of time

| what | weeks | source |
|---|---|---|
"""
_CHAIN = """
## The chain

`GET /api/plans/{{id}}/chain` tells of each activity its order, Task, states and reports, and of each measure the last
score before the activity began, the first since and the latest, until {weeks} weeks after it ended ({source}). What
lies in the time of an activity need not be its effect: each sentence says so, and how many other activities were under
way. Null, with a reason, where the activity has not begun, or a score is missing.

What the measures speak of (`?about=`):

| measure | about |
|---|---|
"""
_EVIDENCE = """
## Minutes, and the evidence of G3002 and G3003

`POST /api/plans/{{id}}/minutes` records who worked how long, on which day, at what, and whether a physician or another
qualified health professional did it in person. An entry is never changed: a correction names it, with a reason, and
both stay. An `Idempotency-Key` makes it safe to send again. Coordinators record anybody's minutes, clinicians their
own.

`GET /api/plans/{{id}}/evidence?month=2026-03`, and `GET /api/plans/evidence?month=2026-03` for all plans, tell what
HCPCS G3002 (the first {first} minutes of qualified professionals in a month) and G3003 (each {each} more) ask for, what
there is of it with references, and what is missing. It is evidence for people who bill, and no claim; the plan counts
as it is now.

Source: {source}.

| element | what | asked for |
|---|---|---|
"""


def render() -> str:
    """The whole document, as Markdown."""
    return "".join(
        (
            _HEAD,
            *(f"| `{name}` | {shape.says} |\n" for name, shape in SHAPES.items()),
            _REVIEWS.format(taken=_weeks(STILL_TAKEN.days), on=_weeks(ON_TARGET.days)),
            *(f"| `{code}` | {what} |\n" for code, what in GAPS.items()),
            _FLAGS,
            *(f"| `{code}` | {what} |\n" for code, what in FLAGS.items()),
            _UNCERTAIN.format(revisit=REVISIT_BY, flag=RED_FLAG),
            _LIMITS,
            *(f"| {what} | {weeks} | {source} |\n" for what, weeks, source in _limits()),
            _CHAIN.format(weeks=_weeks(FOLLOWED_FOR.days), source=CHAIN_SOURCE),
            *(f"| `{id_}` | {', '.join(sorted(about))} |\n" for id_, about in ABOUT.items()),
            _EVIDENCE.format(first=FIRST, each=EACH, source=SOURCE),
            *(f"| `{each.id}` | {each.says} | {_asked(each)} |\n" for each in ELEMENTS),
        )
    )


def _limits() -> Iterator[tuple[str, int, Source]]:
    yield "a plan without a new score", _weeks(MEASURED_WITHIN.days), MEASURED_SOURCE
    for section, (after, source) in STALE_AFTER.items():
        yield f"section `{section}` untouched", _weeks(after.days), source


def _asked(element: Element) -> str:
    return "every month" if element.needed else "where it is necessary"


def _weeks(days: int) -> int:
    return days // 7


if __name__ == "__main__":
    print(render(), end="")
