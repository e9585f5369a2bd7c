"""The scores and assessments that conditions may ask for, and what holds them, as data.

What a score is (codes, range, unit, items) is told by ``domain.measures``: the outcome measures and the plans have one.
"""

from dataclasses import dataclass
from decimal import Decimal

from services.careplans.domain.applying.classes import Coding
from services.careplans.domain.measures.catalogue import BY_ID
from services.careplans.domain.measures.measure import LOCAL_ITEMS, Item
from services.careplans.domain.measures.measure import Measure as Outcome
from services.careplans.domain.measures.mind import PHQ9, SELF_HARM

ASSESSMENT = "https://consilium.care/fhir/CodeSystem/assessment"
"""Our own codes for what a clinician has judged, as ``valueBoolean``."""

SCORE_DAYS = 183
"""A score older than half a year says nothing about today. Our own default, from no guideline."""
ASSESSMENT_DAYS = 365


@dataclass(frozen=True, slots=True)
class Measure:
    """A score: the variable that holds it, its code, and the numbers that it can be."""

    variable: str
    title: str
    of: Outcome
    item: Item | None = None
    """One answer of the measure, where that is what is asked for."""

    @property
    def coding(self) -> Coding:
        """The code under which it is stored."""
        code = self.item.codes[0] if self.item else self.of.coding
        return code.system, code.code

    @property
    def codings(self) -> tuple[Coding, ...]:
        """All codes under which it is recognised, that of a panel with its answers among them."""
        if self.item is not None:
            return (*((code.system, code.code) for code in self.item.codes), (LOCAL_ITEMS, self.item.link))
        panels = (self.of.panel,) if self.of.panel else ()
        return tuple((code.system, code.code) for code in (*self.of.codes, *panels))

    @property
    def lowest(self) -> Decimal:
        """The lowest number that it can be."""
        return Decimal(self.item.low) if self.item else self.of.low

    @property
    def highest(self) -> Decimal:
        """The highest."""
        return Decimal(self.item.high) if self.item else self.of.high


@dataclass(frozen=True, slots=True)
class Assessment:
    """A clinician's yes or no."""

    variable: str
    title: str
    code: str

    @property
    def coding(self) -> Coding:
        """The code under which it is stored."""
        return ASSESSMENT, self.code

    @property
    def codings(self) -> tuple[Coding, ...]:
        """All codes under which it is recognised."""
        return (self.coding,)


MEASURES: tuple[Measure, ...] = (
    Measure("peg", "PEG", BY_ID["peg"]),
    Measure("painNrs", "Pain intensity (NRS)", BY_ID["pain-nrs"]),
    Measure("phq9", "PHQ-9", PHQ9),
    Measure("phq9Item9", "PHQ-9 item 9", PHQ9, SELF_HARM),
    Measure("gad7", "GAD-7", BY_ID["gad-7"]),
    Measure("painInterferenceT", "PROMIS pain interference T-score", BY_ID["promis-29-pain-interference"]),
    Measure("sleepDisturbanceT", "PROMIS sleep disturbance T-score", BY_ID["promis-29-sleep-disturbance"]),
    Measure("ort", "Opioid Risk Tool", BY_ID["ort"]),
    Measure("pcs", "Pain Catastrophizing Scale", BY_ID["pcs"]),
    Measure("isi", "Insomnia Severity Index", BY_ID["isi"]),
    Measure("odi", "Oswestry Disability Index", BY_ID["odi"]),
    Measure("tsk11", "TSK-11", BY_ID["tsk-11"]),
)

ASSESSMENTS: tuple[Assessment, ...] = (
    Assessment("emotionRegulationDifficulty", "Emotion-regulation difficulty", "emotion-regulation-difficulty"),
    Assessment("neuropathicComponent", "Neuropathic component of the pain", "neuropathic-component"),
    Assessment("redFlags", "Red flags", "red-flags"),
)
