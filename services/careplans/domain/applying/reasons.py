"""Why an action is proposed, or why not, in words."""

from collections.abc import Iterable

from services.careplans.domain.applying.circumstances import Declined
from services.careplans.domain.applying.extensions import WHY_NOT
from services.careplans.domain.applying.proposal import Considered, Judged, Outcome
from services.careplans.domain.codes import extension_value


def of(considered: Considered, refused: Declined | None) -> str:
    """One paragraph; the text of the plan first, then what the record says."""
    told = " ".join(sentence for sentence in _sentences(considered, refused) if sentence)
    return told or "Part of the plan for everybody: it has no condition."


def _sentences(considered: Considered, refused: Declined | None) -> Iterable[str]:
    conditions = considered.conditions
    if considered.outcome is Outcome.NOT_INDICATED and any(each.result is False for each in conditions):
        yield _sentence(extension_value(considered.action, WHY_NOT))
        yield from (f"Not so: {each.told()}." for each in conditions if each.result is False)
        return
    if considered.outcome is Outcome.UNKNOWN and any(each.result is None for each in conditions):
        yield from (f"Not known: {each.told()}." for each in conditions if each.result is None)
        return
    if considered.children and not considered.proposed:
        yield "None of its parts is proposed."
        return
    if considered.outcome is Outcome.CONTRAINDICATED:
        yield from (f"Contraindicated: {each.told()}." for each in considered.contraindications if each.result)
        yield f"The patient declined it, too: {refused.reason or 'no reason given'}." if refused else ""
        return
    if considered.outcome is Outcome.DECLINED and refused:
        yield f"Indicated, and declined by the patient: {_sentence(refused.reason) or 'no reason given.'}"
        return
    yield _sentence(considered.action.get("description"))
    yield from (f"{each.told()}." for each in (*considered.inherited, *conditions))
    yield "The patient would like it." if considered.preferred else ""
    yield from _hazards("Caution", considered.cautions)
    yield from _hazards("Contraindicated if", considered.contraindications)


def _hazards(word: str, hazards: Iterable[Judged]) -> Iterable[str]:
    for each in hazards:
        if each.result:
            yield f"{word}: {each.told()}."
        elif each.expression is None:
            yield f"{word}, to be asked: {each.text}."
        else:
            yield f"{word}, not known: {each.told()}."


def _sentence(text: object) -> str:
    if not isinstance(text, str) or not text.strip():
        return ""
    stripped = text.strip()
    return stripped if stripped[-1] in ".!?" else f"{stripped}."
