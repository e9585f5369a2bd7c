"""Answers -> a score, or why there is none. Nothing is guessed: what is missing or not understood is named."""

from dataclasses import dataclass
from fractions import Fraction

from services.careplans.domain.measures.answers import Reading, Unread
from services.careplans.domain.measures.measure import Item, Measure, Method


@dataclass(frozen=True, slots=True)
class Score:
    """One measure in one response. ``value`` is None where it could not be scored; exact, not rounded."""

    measure: Measure
    value: Fraction | None
    missing: tuple[Item, ...] = ()
    """Items without an answer."""
    unreadable: tuple[Item, ...] = ()
    """Items with an answer that is out of range, or of an unknown code, or two answers."""
    stated: bool = False
    """The value is the total that the response states, not made from items."""

    @property
    def prorated(self) -> bool:
        """Whether missing items were replaced by the mean of the others."""
        return self.value is not None and bool(self.missing)


def holds(measure: Measure, reading: Reading) -> bool:
    """Whether the response has the measure, not only items that it shares with a shorter one (PHQ-2, PHQ-8)."""
    if reading.ours or reading.total is not None:
        return True
    needed = {item.link for item in measure.items if item.needed}
    return bool(reading.answers) and needed <= reading.asked and 2 * len(reading.asked) > len(measure.items)


def score(measure: Measure, reading: Reading) -> Score:
    """The score of ``reading``. A stated total holds only where no item is answered."""
    if reading.total is not None and not reading.answers:
        return Score(measure, None if isinstance(reading.total, Unread) else reading.total, stated=True)
    missing = tuple(item for item in measure.items if item.link not in reading.answers)
    unreadable = tuple(item for item in measure.items if isinstance(reading.answers.get(item.link), Unread))
    answered = {link: value for link, value in reading.answers.items() if isinstance(value, int)}
    complete = len(missing) <= measure.may_miss and not any(item.needed for item in missing)
    if unreadable or not complete or not answered:
        return Score(measure, None, missing, unreadable)
    return Score(measure, _value(measure, answered), missing)


def _value(measure: Measure, answered: dict[str, int]) -> Fraction:
    total = Fraction(sum(answered.values()))
    match measure.method:
        case Method.MEAN:
            return total / len(answered)
        case Method.PERCENT:
            return 100 * total / sum(item.high for item in measure.items if item.link in answered)
        case Method.SUM if len(answered) < len(measure.items):
            return Fraction(_half_up(total / len(answered) * len(measure.items)))
        case Method.SUM:
            return total


def _half_up(value: Fraction) -> int:
    return int(value + Fraction(1, 2))
