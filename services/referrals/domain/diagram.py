"""State diagrams in Mermaid (https://mermaid.js.org/syntax/stateDiagram.html), drawn from rows of the tables."""

from collections.abc import Iterable, Mapping

from services.referrals.domain.states import TERMINAL
from services.referrals.domain.transitions import State, Transition


def diagram(rows: Iterable[Transition]) -> str:
    """The states of ``rows``; an arrow for each step, with who takes it and what it is called."""
    rows = tuple(rows)
    states = dict.fromkeys(state for row in rows for state in (row.source, row.target))
    sources = {row.source for row in rows}
    lines = [f'state "{state}" as {_name(str(state))}' for state in states]
    lines += [f"[*] --> {_name(str(state))}" for state in states if state.status == "draft"]
    lines += [f"{_name(str(row.source))} --> {_name(str(row.target))} : {row.actor}, {row.trigger}" for row in rows]
    lines += [f"{_name(str(state))} --> [*]" for state in states if _ends(state, sources)]
    return _drawn(lines)


def order_diagram(transitions: Mapping[str, Iterable[str]]) -> str:
    """The states of an order: ``transitions`` are the statuses after each."""
    lines = [f'state "{status}" as {_name(status)}' for status in transitions]
    lines += [f"{_name(source)} --> {_name(goal)}" for source, goals in transitions.items() for goal in sorted(goals)]
    return _drawn(lines)


def _ends(state: State, sources: set[State]) -> bool:
    return state.status in TERMINAL and state not in sources


def _drawn(lines: Iterable[str]) -> str:
    return "\n```mermaid\nstateDiagram-v2\n" + "".join(f"    {line}\n" for line in lines) + "```\n"


def _name(state: str) -> str:
    return "s_" + state.replace("-", "_").replace(" ", "_").replace(".", "_")
