"""What a medication's text says: ingredients, the strength of each, the form. Nothing is guessed.

RxNorm writes ``Acetaminophen 325 MG / Hydrocodone Bitartrate 7.5 MG Oral Tablet [Norco]`` and ``72 HR Fentanyl
0.075 MG/HR Transdermal System``; people write ``hydrocodone-acetaminophen 5-325 mg`` and ``fentanyl 75 mcg/h patch``.
"""

import re
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from services.careplans.domain.safety.ingredients import INGREDIENTS, NAMES, Ingredient
from services.careplans.domain.safety.quantities import Amount, amount


class Form(StrEnum):
    """How a product comes in, as far as doses and rules care."""

    COUNTED = "tablet, capsule or the like"
    LIQUID = "liquid by mouth"
    PATCH = "patch"
    INJECTION = "injection"
    LOCAL = "on the skin, in the eye or ear"
    OTHER = "nasal, buccal, rectal or inhaled"
    UNKNOWN = "not stated"


FORMS: tuple[tuple[Form, str], ...] = (
    (Form.LOCAL, r"ophthalmic|otic|topical|gel|cream|ointment|lotion|vaginal|shampoo|eye drops?|ear drops?"),
    (Form.PATCH, r"transdermal|patch(es)?"),
    (
        Form.INJECTION,
        r"inject\w*|prefilled|syringe|intravenous\w*|iv|epidural|intrathecal\w*|intramuscular\w*|infusion",
    ),
    (Form.INJECTION, r"infusion|subcutaneous\w*|cartridge|auto-?injector"),
    (Form.OTHER, r"nasal|buccal|sublingual|lozenges?|troches?|rectal|suppositor\w+|inhal\w+|spray|film|mucosal"),
    (Form.COUNTED, r"tab(let)?s?|cap(sule)?s?|caplets?|pills?"),
    (Form.LIQUID, r"solution|suspension|syrup|elixir|liquid|oral drops?"),
)
"""In this order: the first that the text has a word of."""


@dataclass(frozen=True, slots=True, order=True)
class Part:
    """One ingredient of a product. ``strength`` is a mass (per tablet), a concentration or a rate; None: not stated."""

    ingredient: Ingredient
    strength: Amount | None = None


@dataclass(frozen=True, slots=True)
class Product:
    """What is taken. ``parts`` are the ingredients that the rules know, by name."""

    parts: tuple[Part, ...] = ()
    form: Form = Form.UNKNOWN
    text: str | None = None
    alone: bool = True
    """The product has no ingredient beside the one part; a dose in mg is then that ingredient's."""
    wear: int | None = None
    """Hours that one patch is worn, where the text begins with them."""

    @property
    def ingredients(self) -> tuple[Ingredient, ...]:
        """The known ingredients."""
        return tuple(part.ingredient for part in self.parts)


def _alternatives(words: "list[str]") -> str:
    return "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))


_NUMBER = r"(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?|\.\d+"
_MASS = r"milligrams?|micrograms?|mcg|mg|ug|µg|μg|gm|grams?|g"
_OF = r"millilit(?:er|re)s?|mls?|hours?|hrs?|h|24 ?hr?s?|day|l"
_NAME = re.compile(rf"(?<![a-z])(?:{_alternatives(list(NAMES))})(?![a-z])", re.IGNORECASE)
_STRENGTH = re.compile(
    rf"(?<![\w.])({_NUMBER})\s*-?\s*({_MASS})(?:\s*(?:/|per)\s*({_NUMBER})?\s*({_OF})(?![a-z]))?(?![a-z])",
    re.IGNORECASE,
)
_SHARED_UNIT = re.compile(rf"(?<![\w.])({_NUMBER})((?:\s*[-/]\s*(?:{_NUMBER}))+)\s*({_MASS})(?![a-z])", re.IGNORECASE)
_BRAND = re.compile(r"\[[^\]]*\]")
_COMPONENT = re.compile(r"\s/\s|\s\+\s|\band\b|\bwith\b", re.IGNORECASE)
_FORM_WORDS = tuple((form, re.compile(rf"(?<![a-z])(?:{words})(?![a-z])", re.IGNORECASE)) for form, words in FORMS)
_WEAR = re.compile(r"^\s*(\d{1,3})\s*(?:hr|hour)s?\b", re.IGNORECASE)
_MARK = "\x00"


def product_of(text: str) -> Product:
    """The product that a text names. Strengths stay unknown where they cannot be told apart."""
    named = _BRAND.sub(" ", text)
    if not _NAME.search(named):
        named = text
    strengths: list[Amount | None] = []
    marked = _mark(named, strengths)
    parts = _by_component(marked, strengths) or _in_order(marked, strengths)
    wear = _WEAR.match(text)
    return Product(
        tuple(sorted(parts.values(), key=lambda part: part.ingredient.name)),
        form_of(text),
        text,
        alone=len(parts) == 1 and not _is_combined(marked, strengths),
        wear=int(wear[1]) if wear else None,
    )


def form_of(text: str) -> Form:
    """The form that a text names."""
    return next((form for form, words in _FORM_WORDS if words.search(text)), Form.UNKNOWN)


def _mark(text: str, strengths: list[Amount | None]) -> str:
    """The text with each strength replaced by a mark; what they are is appended to ``strengths``."""
    spelled = _SHARED_UNIT.sub(lambda found: _spell_out(found), text)

    def keep(found: re.Match[str]) -> str:
        strengths.append(_strength(found))
        return f" {_MARK} "

    return _STRENGTH.sub(keep, spelled)


def _spell_out(found: re.Match[str]) -> str:
    """``5-325 mg`` as ``5 mg 325 mg``."""
    numbers = re.findall(_NUMBER, found[1] + found[2])
    return " ".join(f"{each} {found[3]}" for each in numbers)


def _strength(found: re.Match[str]) -> Amount | None:
    value, unit, by, of = found.groups()
    mass = amount(_decimal(value), unit)
    if mass is None or of is None:
        return mass
    divisor = amount(_decimal(by) if by else Decimal(1), of.replace(" ", "").lower().removesuffix("s"))
    return mass.per(divisor) if divisor else None


def _decimal(text: str) -> Decimal:
    return Decimal(text.replace(",", ""))


def _names(text: str) -> list[str]:
    found = [name for match in _NAME.finditer(text) for name in NAMES[match[0].lower()]]
    return list(dict.fromkeys(found))


def _by_component(marked: str, strengths: list[Amount | None]) -> dict[str, Part]:
    """The parts of a text whose components have a strength each, as RxNorm's; empty where it is no such text."""
    parts: dict[str, Part] = {}
    given = iter(strengths)
    for component in _COMPONENT.split(marked):
        names = _names(component)
        if component.count(_MARK) != 1 or len(names) > 1:
            return {}
        strength = next(given)
        parts |= {name: Part(INGREDIENTS[name], strength) for name in names if name not in parts}
    return parts


def _in_order(marked: str, strengths: list[Amount | None]) -> dict[str, Part]:
    """The parts where names and strengths stand in the same order and number; else names without strengths."""
    names = _names(marked)
    known: list[Amount | None] = strengths if len(strengths) == len(names) else [None] * len(names)
    return {name: Part(INGREDIENTS[name], strength) for name, strength in zip(names, known, strict=True)}


def _is_combined(marked: str, strengths: list[Amount | None]) -> bool:
    return len(strengths) > 1 or len(_COMPONENT.split(marked)) > 1
