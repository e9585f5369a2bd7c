"""The scores and assessments that conditions may ask for, and the Observations that hold them, as data."""

from dataclasses import dataclass
from decimal import Decimal

LOINC = "http://loinc.org"
MEASURE = "https://consilium.care/fhir/CodeSystem/measure"
"""Our own codes for measures without a verified LOINC code."""
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
    system: str
    code: str
    lowest: Decimal
    highest: Decimal


@dataclass(frozen=True, slots=True)
class Assessment:
    """A clinician's yes or no."""

    variable: str
    title: str
    code: str
    system: str = ASSESSMENT


def _measure(variable: str, title: str, system: str, code: str, lowest: int, highest: int) -> Measure:
    return Measure(variable, title, system, code, Decimal(lowest), Decimal(highest))


MEASURES: tuple[Measure, ...] = (
    _measure("peg", "PEG", LOINC, "91147-9", 0, 10),
    _measure("painNrs", "Pain intensity (NRS)", LOINC, "72514-3", 0, 10),
    _measure("phq9", "PHQ-9", LOINC, "44261-6", 0, 27),
    _measure("phq9Item9", "PHQ-9 item 9", LOINC, "44260-8", 0, 3),
    _measure("gad7", "GAD-7", LOINC, "70274-6", 0, 21),
    _measure("painInterferenceT", "PROMIS pain interference T-score", LOINC, "71961-7", 0, 100),
    _measure("sleepDisturbanceT", "PROMIS sleep disturbance T-score", LOINC, "71955-9", 0, 100),
    _measure("ort", "Opioid Risk Tool", LOINC, "91392-1", 0, 26),
    _measure("pcs", "Pain Catastrophizing Scale", MEASURE, "pcs", 0, 52),
    _measure("isi", "Insomnia Severity Index", MEASURE, "isi", 0, 28),
    _measure("odi", "Oswestry Disability Index", MEASURE, "odi", 0, 100),
    _measure("tsk11", "TSK-11", MEASURE, "tsk-11", 11, 44),
)

ASSESSMENTS: tuple[Assessment, ...] = (
    Assessment("emotionRegulationDifficulty", "Emotion-regulation difficulty", "emotion-regulation-difficulty"),
    Assessment("neuropathicComponent", "Neuropathic component of the pain", "neuropathic-component"),
    Assessment("redFlags", "Red flags", "red-flags"),
)
