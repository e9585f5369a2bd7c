"""Rules of Questionnaire (http://hl7.org/fhir/R4/questionnaire.html#invs)."""

from collections.abc import Iterator

from shared.fhir.validate.invariants.rule import Invariant, Value, has

_WITH_OPTIONS = {"choice", "open-choice", "decimal", "integer", "date", "dateTime", "time", "string", "quantity"}
_WITH_LENGTH = {"boolean", "decimal", "integer", "string", "text", "url", "open-choice"}


def _link_ids(parent: Value) -> Iterator[str]:
    for item in parent.get("item", ()):
        if "linkId" in item:
            yield item["linkId"]
        yield from _link_ids(item)


def _distinct_link_ids(questionnaire: Value) -> bool:
    ids = list(_link_ids(questionnaire))
    return len(set(ids)) == len(ids)


def _nested(item: Value) -> bool:
    if item.get("type") == "group":
        return "item" in item
    return item.get("type") != "display" or "item" not in item


def _display_without(item: Value, *names: str) -> bool:
    return item.get("type") != "display" or not has(item, *names)


FORMS = (
    Invariant("que-2", "Questionnaire", "Every linkId is used once.", _distinct_link_ids),
    Invariant("que-1", "Questionnaire.item", "Groups have items, display items have none.", _nested),
    Invariant("que-3", "Questionnaire.item", "Display items have no code.", lambda v: _display_without(v, "code")),
    Invariant(
        "que-4",
        "Questionnaire.item",
        "Options and a value set exclude each other.",
        lambda v: not ("answerOption" in v and has(v, "answerValueSet")),
    ),
    Invariant(
        "que-5",
        "Questionnaire.item",
        "An item of this type has no options.",
        lambda v: v.get("type") in _WITH_OPTIONS or not has(v, "answerOption", "answerValueSet"),
    ),
    Invariant(
        "que-6",
        "Questionnaire.item",
        "Display items are neither required nor repeated.",
        lambda v: _display_without(v, "required", "repeats"),
    ),
    Invariant(
        "que-7",
        "Questionnaire.item.enableWhen",
        "The operator exists needs a boolean answer.",
        lambda v: v.get("operator") != "exists" or has(v, "answerBoolean"),
    ),
    Invariant(
        "que-8",
        "Questionnaire.item",
        "Groups and display items have no initial value.",
        lambda v: v.get("type") not in ("group", "display") or "initial" not in v,
    ),
    Invariant(
        "que-9", "Questionnaire.item", "Display items are not read-only.", lambda v: _display_without(v, "readOnly")
    ),
    Invariant(
        "que-10",
        "Questionnaire.item",
        "Only simple questions have a maximum length.",
        lambda v: v.get("type") in _WITH_LENGTH or not has(v, "maxLength"),
    ),
    Invariant(
        "que-11",
        "Questionnaire.item",
        "Options and initial values exclude each other.",
        lambda v: not ("answerOption" in v and "initial" in v),
    ),
    Invariant(
        "que-12",
        "Questionnaire.item",
        "More than two conditions need an enableBehavior.",
        lambda v: len(v.get("enableWhen", ())) <= 2 or has(v, "enableBehavior"),
    ),
    Invariant(
        "que-13",
        "Questionnaire.item",
        "Only repeating items have several initial values.",
        lambda v: v.get("repeats") is True or len(v.get("initial", ())) <= 1,
    ),
)
