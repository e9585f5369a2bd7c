"""What an outcome measure is: its code, range, unit, bands, items, and the changes that count, each with its source."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

LOINC = "http://loinc.org"
UCUM = "http://unitsofmeasure.org"
LOCAL_MEASURES = "https://consilium.care/fhir/CodeSystem/outcome-measure"
"""Measures without a verified LOINC code; the code is the measure's id."""
LOCAL_ITEMS = "https://consilium.care/fhir/CodeSystem/outcome-measure-item"
"""Items without a verified LOINC code; the code is the item's link (``gad7-1``)."""


class Direction(StrEnum):
    """Which way is better."""

    LOWER = "lower-is-better"
    HIGHER = "higher-is-better"


class Method(StrEnum):
    """How items make a score."""

    SUM = "sum"
    MEAN = "mean"
    PERCENT = "percent"
    """The sum as a share of the highest sum that the answered items allow."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where a figure is from. ``verified``: it was read there, or in the abstract."""

    text: str
    year: int
    verified: bool = False

    @property
    def cited(self) -> str:
        """The publication."""
        return f"{self.text} ({self.year})"

    def __str__(self) -> str:
        return self.cited if self.verified else f"{self.cited}, unverified"


@dataclass(frozen=True, slots=True)
class Code:
    """A code of a measure or an item. One that is not ``verified`` is recognised and never sent."""

    system: str
    code: str
    verified: bool = True


@dataclass(frozen=True, slots=True)
class Item:
    """One question. ``low`` and ``high`` are the lowest and highest answer, whole numbers."""

    link: str
    """``linkId`` in our own Questionnaire, and the local code."""
    low: int
    high: int
    codes: tuple[Code, ...] = ()
    """Beside the local one."""
    needed: bool = False
    """A missing answer is never replaced by the mean of the others."""
    answers: Mapping[str, int] | None = None
    """Answer codes (LOINC) and English answer texts in lower case -> value."""


@dataclass(frozen=True, slots=True)
class Band:
    """A stretch of the scale that begins at ``start``, or just ``above`` it."""

    code: str
    start: Decimal
    above: bool = False

    def holds(self, value: Fraction) -> bool:
        """Whether ``value`` reaches the band."""
        return value > self.start if self.above else value >= self.start


@dataclass(frozen=True, slots=True)
class Threshold:
    """A change that counts: so many ``points``, such a ``share`` of the baseline, either of them or ``both``."""

    source: Source
    points: Decimal | None = None
    share: Fraction | None = None
    both: bool = False

    def met(self, change: Fraction, baseline: Fraction) -> bool:
        """Whether a ``change`` of that size, of whichever sign is asked for, counts. A share of nothing does not."""
        tests = [change >= self.points] if self.points is not None else []
        if self.share is not None:
            tests.append(baseline > 0 and change >= self.share * baseline)
        return all(tests) if self.both else any(tests)

    def __str__(self) -> str:
        parts = [f"{self.points} point{'' if self.points == 1 else 's'}"] if self.points is not None else []
        if self.share is not None:
            parts.append(f"{float(self.share * 100):g} %")
        return (" and " if self.both else " or ").join(parts)


@dataclass(frozen=True, slots=True)
class Goal:
    """A score to reach, where a publication names one: at most ``value`` (at least, where higher is better)."""

    value: Decimal
    source: Source


@dataclass(frozen=True, slots=True)
class Measure:
    """One outcome measure, or one domain of one."""

    id: str
    title: str
    unit: str
    """UCUM."""
    low: Decimal
    high: Decimal
    source: Source
    code: Code | None = None
    """LOINC; None where none is verified."""
    also: tuple[Code, ...] = ()
    """Codes of others for the same score."""
    direction: Direction = Direction.LOWER
    bands: tuple[Band, ...] = ()
    """From the low end of the scale to the high end; below the first there is none."""
    bands_source: Source | None = None
    matters: Threshold | None = None
    """The smallest change that matters to patients, in either direction."""
    responder: Threshold | None = None
    substantial: Threshold | None = None
    goal: Goal | None = None
    items: tuple[Item, ...] = ()
    method: Method = Method.SUM
    may_miss: int = 0
    """So many unanswered items at most are replaced by the mean of the others."""
    completeness: str = ""
    """The rule about missing items, in a sentence, with its source."""
    panel: Code | None = None
    """An Observation by this code has the items as components."""
    grid: int = 1
    """Scores are whole multiples of 1/grid: what a rounded mean stood for is found again."""
    shipped: bool = False
    """Whether its Questionnaire may be, and is, shipped here."""
    licence: str = ""
    note: str = ""

    @property
    def coding(self) -> Code:
        """The code under which scores are stored."""
        return self.code or Code(LOCAL_MEASURES, self.id)

    @property
    def codes(self) -> tuple[Code, ...]:
        """All codes under which scores are recognised."""
        return tuple(filter(None, (self.code, Code(LOCAL_MEASURES, self.id), *self.also)))

    @property
    def questionnaire(self) -> str:
        """The canonical URL of our Questionnaire, where it is shipped."""
        return f"https://consilium.care/fhir/Questionnaire/{self.id}"

    def band(self, value: Fraction) -> str | None:
        """The code of the band that ``value`` is in; None where the measure has no bands, or it is below the first."""
        return next((band.code for band in reversed(self.bands) if band.holds(value)), None)
