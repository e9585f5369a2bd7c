"""``docs/worked-patients.md``: ``python -m tests.unit.services.careplans.domain.applying.worked.document``."""

from collections.abc import Iterable, Iterator

from services.careplans.domain.applying.apply import apply
from services.careplans.domain.applying.proposal import Considered
from shared.fhir.json import Resource
from tests.unit.services.careplans.domain.applying.patients import DEFINITIONS, PLANS
from tests.unit.services.careplans.domain.applying.worked.reading import Again, Row, Worked, worked

_HEAD = """# Three patients worked through by hand

Written from the tests in `tests/unit/services/careplans/domain/applying/worked`; do not edit. A test compares it with
them and with what the code gives.

Three fictional patients of a public set for trying pain software, as different as that set has them; only what matters
of their records is kept. For each of them all actions of the six plans of the
[treatment catalogue](treatment-catalogue.md) were gone through by hand, with the clinical rules, the conditions of the
plans and the record, **before** the code was run. The tables show what the hand expected and why, what the code gives
now, and, where the two differed at first, what was decided. "Got" has the outcome of every action of the row, and the
reason that the proposal gives for the first.

A score older than 183 days or an assessment older than 365 days does not count, so each record is read on a day near
its data. No clinician has signed the catalogue off, and none did this: it shows that the code does what the rules say,
not that the rules are right.
"""


def render() -> str:
    """The whole page, as Markdown."""
    return "".join((_HEAD, *(part for patient in worked() for part in _patient(patient))))


def _patient(patient: Worked) -> Iterator[str]:
    yield f"\n## {patient.title}\n\n{patient.about}\n\nRead on {patient.as_of:%Y-%m-%d}.\n\n"
    yield "| recorded | code | when |\n|---|---|---|\n"
    yield from (f"| {' | '.join(cells)} |\n" for cells in _facts(patient))
    notes: tuple[str, ...] = ()
    for plan, rows in patient.expected.items():
        proposal = apply(PLANS[plan], DEFINITIONS, patient.record, patient.as_of, patient.circumstances)
        notes = proposal.notes
        got = {each.id: each for each in proposal.all()}
        yield f"\n### {PLANS[plan]['title']}\n\n"
        yield "| action | expected, and why | got |\n|---|---|---|\n"
        yield from (_row(row, got) for row in rows)
    yield from (f"\nEvery proposal also says: {note}\n" for note in notes)
    if patient.again:
        yield "\n### Read again on other days\n\n| day | action | expected, and why | got |\n|---|---|---|---|\n"
        yield from (_again(patient, again) for again in patient.again)


def _facts(patient: Worked) -> Iterator[tuple[str, str, str]]:
    for condition in patient.record["Condition"]:
        yield condition["code"]["text"], _code(condition["code"]), _since(condition.get("onsetDateTime"))
    for observation in patient.record["Observation"]:
        value = observation.get("valueQuantity", {}).get("value")
        told = value if value is not None else observation["valueCodeableConcept"]["coding"][0]["display"]
        yield f"{observation['code']['text']}: {told}", _code(observation["code"]), observation["issued"][:10]
    for order in patient.record["MedicationRequest"]:
        medication = order["medicationCodeableConcept"]
        name = f"{medication['text']} ({order['status']})"
        yield name, _code(medication), order.get("authoredOn", "no date")


def _code(concept: Resource) -> str:
    (coding,) = concept["coding"]
    return f"`{coding['system']}\\|{coding['code']}`"


def _since(onset: str | None) -> str:
    return f"since {onset}" if onset else "no date"


def _row(row: Row, got: dict[str, Considered]) -> str:
    actions = ", ".join(f"`{action}`" for action in row.actions)
    expected = f"**{row.outcome}**. {row.why}"
    if row.decided:
        expected += f" *At first it was otherwise:* {row.decided}"
    outcomes = _outcomes(got[action] for action in row.actions)
    return f"| {actions} | {expected} | **{outcomes}**. {_cell(got[row.actions[0]].reason)} |\n"


def _again(patient: Worked, again: Again) -> str:
    proposal = apply(PLANS[again.plan], DEFINITIONS, patient.record, again.day, patient.circumstances)
    (got,) = (each for each in proposal.all() if each.id == again.action)
    expected = f"**{again.outcome}**. {again.why}"
    told = f"**{got.outcome.value}**. {_cell(got.reason)}"
    return f"| {again.day:%Y-%m-%d} | `{again.action}` | {expected} | {told} |\n"


def _outcomes(actions: Iterable[Considered]) -> str:
    return ", ".join(dict.fromkeys(each.outcome.value for each in actions))


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    print(render(), end="")
