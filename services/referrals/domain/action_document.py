"""The actions, as a part of ``docs/referral-states.md``."""

from services.referrals.domain.actions import ACTIONS, Action
from services.referrals.domain.inputs import KINDS, Name
from services.referrals.domain.order_actions import ORDER_ACTIONS
from services.referrals.domain.referral import needs_reason
from services.referrals.domain.transitions import TRANSITIONS

_HEAD = """
## Actions

What people do, by name: `GET /api/referrals/{id}` and `Task/[id]/$available-actions` list what the caller may do now,
with the inputs; `POST /api/referrals/{id}/actions/{action}` and `Task/[id]/$perform-action` do it. An action of the
other side is forbidden (403), one that the state does not allow is a conflict (409) that names what is available, and
a missing or wrong input cannot be processed (422).

- An action takes the rows of the tables above that its side has from the present state. Where there are several, a
  plain Task stays plain, and one with a business status, or with BSeR's profile, gets one; the input `state` chooses
  another. What goes by SDOH-CC's profile, which has no `received`, is accepted or declined at once.
- In italics: what is optional. Each action also takes a `comment`. A reason is needed where the state after it needs
  one, but not again to confirm a cancellation. Moving an appointment in 5.1.1 needs the `appointment`.
- Questions are marked by an extension of the Task (`returned-with-questions`) until they are answered, or the state
  changes. A report is acknowledged by another (`report-acknowledged`), once, for good: the referral is closed. A PUT
  may do the same, by the same rules.
- Who offers a referral to somebody else gets a new Task with the `input` `replaces`; the old one is cancelled, unless
  it has ended, and has the extension `replaced-by`.

| action | by | from | inputs | what it is |
|---|---|---|---|---|
"""
_ORDER = """
Of the order (`ServiceRequest/[id]/$available-actions`, which also lists its referrals with theirs):

| action | from | to | what it is |
|---|---|---|---|
"""


def render_actions() -> str:
    """The part, as Markdown."""
    lines = "".join(
        f"| `{action.code}` | {_sides(action)} | {_sources(action)} | {_inputs(action)} | {action.definition} |\n"
        for action in ACTIONS.values()
    )
    inputs = "".join(f"| `{name}` | {kind.type} | {kind.definition} |\n" for name, kind in KINDS.items())
    order = "".join(
        f"| `{each.code}` | {', '.join(sorted(each.sources))} | {each.status} | {each.definition} |\n"
        for each in ORDER_ACTIONS.values()
    )
    return f"{_HEAD}{lines}\n| input | type | what it is |\n|---|---|---|\n{inputs}{_ORDER}{order}"


def _sides(action: Action) -> str:
    return ", ".join(sorted(action.actors)) or "whom it is open to"


def _sources(action: Action) -> str:
    own = [row for row in TRANSITIONS if row.happened is action.happened and row.actor in action.actors]
    if action.happened is None:
        return ", ".join(sorted(action.statuses or ()))
    fitting = (row.source for row in own if action.statuses is None or row.source.status in action.statuses)
    return ", ".join(sorted({str(state) for state in fitting})) or "any other"


def _inputs(action: Action) -> str:
    own = (row.target for row in TRANSITIONS if row.happened is action.happened and row.actor in action.actors)
    reason = ((Name.REASON, True),) if any(map(needs_reason, own)) else ()
    return ", ".join(f"`{name}`" if required else f"*`{name}`*" for name, required in (*reason, *action.takes))
