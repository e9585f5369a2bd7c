"""The outcome as tables that a person can read."""

from datetime import datetime
from typing import Any

from rich.console import Console
from rich.table import Table

from consilium.demo.outcome import Outcome
from consilium.demo.people import NAMES
from consilium.demo.story import DISCIPLINES

_STATUS_STYLE = {"completed": "green", "cancelled": "red", "scheduled": "cyan", "in-progress": "cyan"}


UPDATED = "updated"
"""Goes with every other change."""


def show(outcome: Outcome, console: Console) -> None:
    """Print ``outcome``."""
    plan = outcome.plan
    console.print()
    console.print(
        f"[bold]The shared plan of {_name(outcome.patient)}[/] is {plan['status']}, version {plan['version']}."
    )
    for table in (
        _activities(plan, outcome.texts),
        _team(plan),
        _timeline(outcome.timeline),
        _messages(outcome.messages),
    ):
        console.print(table)


def _activities(plan: dict[str, Any], texts: dict[str, str]) -> Table:
    table = Table("discipline", "status", "order", "outcome", title="Activities", title_justify="left")
    for activity in plan["activities"]:
        status = activity["status"] or ""
        table.add_row(
            DISCIPLINES.get(activity["discipline"], ""),
            f"[{_STATUS_STYLE.get(status, 'white')}]{status}[/]",
            texts.get(activity["reference"] or "", ""),
            "\n".join(texts.get(outcome, outcome) for outcome in activity["outcomes"]),
        )
    return table


def _team(plan: dict[str, Any]) -> Table:
    table = Table("member", "discipline", "since", "until", title="Care team", title_justify="left")
    for member in plan["team"]:
        table.add_row(
            _who(member["member"]),
            DISCIPLINES.get(member["discipline"], ""),
            _time(member["since"]),
            _time(member["until"]),
        )
    return table


def _timeline(timeline: list[dict[str, Any]]) -> Table:
    table = Table("time", "what happened", "discipline", "now", title="Timeline", title_justify="left")
    said = {(moment["resource"], moment["version"]) for moment in timeline if moment["what"] != UPDATED}
    for moment in timeline:
        if moment["what"] == UPDATED and (moment["resource"], moment["version"]) in said:
            # it goes with every other change
            continue
        what = moment["what"].replace("-", " ")
        now = moment["activity_status"] or moment["status"] or ""
        table.add_row(_time(moment["at"]), what, DISCIPLINES.get(moment["discipline"], ""), now)
    return table


def _messages(messages: list[dict[str, Any]]) -> Table:
    table = Table("time", "to", "message", "status", title="Messages", title_justify="left")
    for message in messages:
        to = ", ".join(_recipient(recipient) for recipient in message.get("recipient", []))
        text = " ".join(payload.get("contentString", "") for payload in message.get("payload", []))
        table.add_row(_time(message.get("sent") or message["meta"]["lastUpdated"]), to, text, message["status"])
    return table


def _recipient(recipient: dict[str, Any]) -> str:
    if "reference" in recipient:
        return _who(recipient["reference"])
    return str(recipient.get("display") or recipient.get("identifier", {}).get("value", ""))


def _who(reference: str | None) -> str:
    return NAMES.get(reference or "", reference or "")


def _time(text: str | None) -> str:
    return f"{datetime.fromisoformat(text).astimezone():%d %b %H:%M:%S}" if text else ""


def _name(patient: dict[str, Any]) -> str:
    for name in patient.get("name", []):
        if name.get("text"):
            return str(name["text"])
        return " ".join([*name.get("given", []), name.get("family", "")]).strip()
    return f"Patient/{patient['id']}"
