"""The seven domains of PROMIS-29, as T-scores (mean 50, standard deviation 10 of the reference population).

T-scores come from response patterns by item response theory: they are taken as they are given, never from items.
"""

from collections.abc import Iterator
from decimal import Decimal

from services.careplans.domain.measures.measure import LOINC, Band, Code, Direction, Measure, Source, Threshold

_SOURCE = Source("Hays et al., Qual Life Res 27:1885", 2018)
_BANDS = Source("HealthMeasures, PROMIS score cut points; project clinical content for 65", 2025)
_INTERFERENCE = Source("Chen et al., Pain 159:775", 2018, verified=True)
_SYMPTOM_BANDS = (
    Band("normal", Decimal(20)),
    Band("mild", Decimal(55)),
    Band("moderate", Decimal(60)),
    Band("moderately-severe", Decimal(65)),
    Band("severe", Decimal(70)),
)
_FUNCTION_BANDS = (
    Band("severe", Decimal(20)),
    Band("moderately-severe", Decimal(30), above=True),
    Band("moderate", Decimal(35), above=True),
    Band("mild", Decimal(40), above=True),
    Band("normal", Decimal(45), above=True),
)
"""The same distances from 50, to the other side."""

_DOMAINS = (
    ("pain-interference", "pain interference", "71961-7", Direction.LOWER),
    ("physical-function", "physical function", "71959-1", Direction.HIGHER),
    ("fatigue", "fatigue", "71963-3", Direction.LOWER),
    ("sleep-disturbance", "sleep disturbance", "71955-9", Direction.LOWER),
    ("depression", "depression", "71965-8", Direction.LOWER),
    ("anxiety", "anxiety", "71967-4", Direction.LOWER),
    ("social-roles", "ability to take part in social roles", "71957-5", Direction.HIGHER),
)


def _domains() -> Iterator[Measure]:
    for name, title, code, direction in _DOMAINS:
        of_interference = name == "pain-interference"
        yield Measure(
            id=f"promis-29-{name}",
            title=f"PROMIS-29 {title}, T-score",
            unit="{Tscore}",
            low=Decimal(20),
            high=Decimal(80),
            source=_SOURCE,
            code=Code(LOINC, code),
            direction=direction,
            bands=_SYMPTOM_BANDS if direction is Direction.LOWER else _FUNCTION_BANDS,
            bands_source=_BANDS,
            matters=Threshold(_INTERFERENCE, points=Decimal(2)) if of_interference else None,
            responder=Threshold(_INTERFERENCE, points=Decimal(3)) if of_interference else None,
            completeness="The T-score as it is given.",
            licence="Copyright of the PROMIS Health Organization; free for clinical use under its own terms of use.",
        )


PROMIS = tuple(_domains())
