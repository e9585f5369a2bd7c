"""``docs/referral-states.md``, written from the tables: ``python -m services.referrals.domain.document``."""

from collections.abc import Iterable, Sequence

from services.referrals.domain.action_document import render_actions
from services.referrals.domain.agreement import ENDED_ORDERS
from services.referrals.domain.diagram import diagram, order_diagram
from services.referrals.domain.opening import PASSED_ON
from services.referrals.domain.order import OPENING_STATUSES, ORDER_TRANSITIONS
from services.referrals.domain.referral import REASON_STATUSES
from services.referrals.domain.states import TERMINAL
from services.referrals.domain.transitions import HARMONIZED, JOINING, OPENING, PAUSED, PLAIN, Transition

_HEAD = """# The states of a referral

Written from the tables in `services/referrals/domain`; do not edit. A test compares it with them.

A referral is a `Task` with code `fulfill` whose focus is a `ServiceRequest`. Its state is `Task.status` with
the BSeR code in `Task.businessStatus`, if there is one. Other Tasks obey the same state machine, without the
rules of referrals.

## Who is who
- The **initiator** is `Task.requester`, the **recipient** is `Task.owner`: a caller is one of them when the
  reference is their own, their organization's, or that of a PractitionerRole or HealthcareService of theirs. It
  is judged on the Task as it was before the change.
- A **coordinator** acts with the initiator's powers; what the recipient does only where they own the Task.
- A **system** without references of its own is a trusted back end: it may import a Task in any status and speak
  for either side, but never against the tables. A system with references is a party like everybody else, except
  that it may import its own referrals in any status.
- A **patient** reads; they change only Tasks that they own.
- An open Task (no owner) is claimed by whoever sets themselves as owner while receiving or accepting it; where
  `Task.restriction.recipient` names somebody, only by them.

## Rules beside the tables
- A step that no row allows is a conflict (409). A row of the other side is forbidden (403), and so is every
  change by a stranger. A missing element or reason cannot be processed (422).
- From every state, the initiator's side may go to `entered-in-error`; the business status stays or goes.
- A change that keeps status and business status is legal for both sides. In {stay} a recipient who changes
  `output` or `executionPeriod` thereby takes the row that stays in place.
- `output` and `executionPeriod` are the recipient's. `requester`, and of a referral `focus` and `for`, do not
  change once the Task has left draft. The initiator's side chooses the owner until acceptance.
- A referral needs `intent` order, `focus`, `for` (the subject of its order), `authoredOn`, `requester`, and an
  owner from `received` on. `statusReason.text` is required in {reasons} and 5.2, and wherever there is a
  `statusReason`.
- Terminal: {terminal}.
- A referral is opened by the requester of its order, by coordinators and by back ends. Whoever owns a referral that is
  {passed_on} passes it on: by a Task that is part of it (`partOf`), on the
  same order or on one without a requester that is `basedOn` it. Everybody else is forbidden (403), also where another
  Task, or a draft with another focus, becomes such a referral.
- Only a draft or a mistake is deleted; what was sent is cancelled. A deleted Task comes back by a back end only.
"""

_AGREEMENT = """
## The order and its referrals agree

The order stays the requester's and the Task the performer's. What follows for the other happens in the same
transaction, in a version of its own, and is told like any other change; both are changed in turn, whoever comes at
the same moment.

- Sending a referral puts an order that was a draft in force (`active`).
- Completing a referral makes its order `completed`, unless another referral of it has not ended.
- Revoking an order takes its referrals back: each takes the initiator's step to `cancelled`, or where the tables have
  none, to the request of a cancellation (5.2). With an order that was entered in error its referrals were, too.
- An order is not `completed` by people while a referral of it has not ended (409), and nobody is asked to fulfil
  an order that is {ended} (422).
- What a back end brings in in one piece is taken as it is.
"""

_OPENING = """
## Where a person may begin

| status | business status | event |
|---|---|---|
"""

_ORDER = """
## The order (ServiceRequest)

Changed by its requester, coordinators and back ends only; begun by people in {opening}. `subject` and
`requester` do not change once it has left draft. A back end may also say `unknown` of an order that has not
ended. An order alone tells nothing: what others hear is its Task.

| from | to |
|---|---|
"""


def render() -> str:
    """The whole document, as Markdown."""
    stay = ", ".join(f"`{row.source}`" for row in HARMONIZED if row.source == row.target)
    head = _HEAD.format(
        stay=stay, reasons=_codes(REASON_STATUSES), terminal=_codes(TERMINAL), passed_on=_codes(PASSED_ON)
    )
    opening = _OPENING + "".join(
        f"| {state.status} | {state.business or ''} | {f'`referral.{told}.v1`' if told else 'none'} |\n"
        for state, told in OPENING.items()
    )
    order = _ORDER.format(opening=_codes(OPENING_STATUSES)) + "".join(
        f"| {source} | {', '.join(sorted(targets)) or 'nowhere'} |\n" for source, targets in ORDER_TRANSITIONS.items()
    )
    return "".join(
        (
            head,
            opening,
            _table("The harmonized transitions of 360X and BSeR", HARMONIZED),
            _table("Without a business status (R4, SDOH-CC)", PLAIN),
            _table("Hold, resume and fail with a business status", PAUSED),
            _table("Taking up the business status on the way", JOINING),
            render_actions(),
            order,
            order_diagram(ORDER_TRANSITIONS),
            _AGREEMENT.format(ended=_codes(ENDED_ORDERS)),
        )
    )


def _table(title: str, rows: Sequence[Transition]) -> str:
    lines = (
        f"| {row.tid} | {row.actor} | {row.trigger} | {row.source} | {row.target} | `referral.{row.happened}.v1` |\n"
        for row in rows
    )
    head = f"\n## {title}\n\n| id | actor | trigger | from | to | event |\n|---|---|---|---|---|---|\n"
    return head + "".join(lines) + diagram(rows)


def _codes(codes: Iterable[str]) -> str:
    return ", ".join(f"`{code}`" for code in sorted(codes))


if __name__ == "__main__":
    print(render(), end="")
