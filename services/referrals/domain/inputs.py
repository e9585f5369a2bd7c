"""What an action asks for beside its name, and whether what was given is that."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from shared.errors import Issue, Unprocessable

LONGEST_TEXT = 2_000
MOST_RECIPIENTS = 20
_DOCUMENTS = ("DocumentReference", "DiagnosticReport", "QuestionnaireResponse")
_REFERENCE = re.compile(r"([A-Z][A-Za-z]{1,63})/[A-Za-z0-9\-.]{1,64}(?:/_history/[A-Za-z0-9\-.]{1,64})?")


class Name(StrEnum):
    """The inputs that there are."""

    REASON = "reason"
    OWNER = "owner"
    RECIPIENTS = "recipients"
    APPOINTMENT = "appointment"
    NOTE = "note"
    REPORT = "report"
    QUESTIONS = "questions"
    ANSWER = "answer"
    STATE = "state"
    COMMENT = "comment"


@dataclass(frozen=True, slots=True)
class Kind:
    """What an input is: ``string``, ``code`` or ``Reference`` to one of ``targets``."""

    type: str
    definition: str
    targets: tuple[str, ...] = ()


KINDS: dict[Name, Kind] = {
    Name.REASON: Kind("string", "Why, in words (Task.statusReason.text)."),
    Name.OWNER: Kind(
        "Reference",
        "Whose it becomes (Task.owner); who claims or accepts an open referral, if nothing is said, their own.",
        # http://hl7.org/fhir/R4/task-definitions.html#Task.owner
        (
            *("Practitioner", "PractitionerRole", "Organization", "CareTeam"),
            *("HealthcareService", "Patient", "Device", "RelatedPerson"),
        ),
    ),
    Name.RECIPIENTS: Kind(
        "string",
        "To whom it is offered (Task.restriction.recipient), as references with spaces between.",
        # http://hl7.org/fhir/R4/task-definitions.html#Task.restriction.recipient
        ("Practitioner", "PractitionerRole", "Organization"),
    ),
    Name.APPOINTMENT: Kind("Reference", "The appointment (Task.output).", ("Appointment",)),
    Name.NOTE: Kind("Reference", "The interim note (Task.output); whether it is there is not checked.", _DOCUMENTS),
    Name.REPORT: Kind("Reference", "The report (Task.output); whether it is there is not checked.", _DOCUMENTS),
    Name.QUESTIONS: Kind("string", "What is asked (Task.note)."),
    Name.ANSWER: Kind("string", "What is answered (Task.note)."),
    Name.STATE: Kind("code", "Where several lead on, which: Task.status, and the BSeR code if there is one."),
    Name.COMMENT: Kind("string", "Anything else to be said (Task.note)."),
}


@dataclass(frozen=True, slots=True)
class Input:
    """One input of an action in the present state."""

    name: Name
    required: bool = False
    choices: tuple[str, ...] = ()
    """The codes, where it is one of few."""

    @property
    def kind(self) -> Kind:
        """What it is."""
        return KINDS[self.name]


def check_inputs(asked: Iterable[Input], given: Mapping[Name, str], where: Callable[[Name], str]) -> None:
    """Raise ``Unprocessable`` with all that is missing, not asked for, or not what it should be.

    ``where`` is the path of an input in what the caller sent."""
    known = {each.name: each for each in asked}
    issues = [
        *(
            Issue("required", f"This action needs the input {each.name}.", (where(each.name),))
            for each in known.values()
            if each.required and each.name not in given
        ),
        *(issue for name, value in given.items() for issue in _issues(known.get(name), value, where(name))),
    ]
    if issues:
        raise Unprocessable.of(tuple(issues))


def _issues(asked: Input | None, value: str, where: str) -> Iterator[Issue]:
    if asked is None:
        yield Issue("business-rule", "This action takes no such input in the present state.", (where,))
    elif asked.kind.type == "string" and asked.kind.targets:
        yield from _several(asked.kind.targets, value.split(), where)
    elif asked.kind.type == "string":
        if not value.strip() or len(value) > LONGEST_TEXT:
            yield Issue("value", f"A text of 1 to {LONGEST_TEXT} characters is expected.", (where,))
    elif asked.kind.type == "code":
        if value not in asked.choices:
            yield Issue("code-invalid", f"Expected is one of: {', '.join(asked.choices)}.", (where,))
    elif not _refers(value, asked.kind.targets):
        text = f"A reference like Type/id is expected, to one of: {', '.join(asked.kind.targets)}."
        yield Issue("value", text, (where,))


def _several(targets: tuple[str, ...], values: list[str], where: str) -> Iterator[Issue]:
    if not 1 <= len(values) <= MOST_RECIPIENTS or len(set(values)) < len(values):
        yield Issue("value", f"1 to {MOST_RECIPIENTS} different references are expected.", (where,))
    if not all(_refers(value, targets) for value in values):
        text = f"References like Type/id are expected, to: {', '.join(targets)}."
        yield Issue("value", text, (where,))


def _refers(value: str, targets: tuple[str, ...]) -> bool:
    match = _REFERENCE.fullmatch(value)
    return match is not None and match[1] in targets
