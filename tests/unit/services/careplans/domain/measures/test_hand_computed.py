"""Must hold 6: every measure against a table that was computed by hand, with its boundary values.

The last column says how a row was computed, or where its figure is from; nothing here is made by the code under test.
"""

from decimal import Decimal
from fractions import Fraction

import pytest

from services.careplans.domain.measures.catalogue import BY_ID, MEASURES
from services.careplans.domain.measures.measure import Measure
from services.careplans.domain.measures.response import Response, classify
from services.careplans.domain.measures.series import Point, point
from services.careplans.domain.measures.units import as_decimal
from tests.unit.services.careplans.domain.measures.answering import observed

S, R, M, N, D = Response.SUBSTANTIAL, Response.RESPONDER, Response.MINIMAL, Response.NO_CHANGE, Response.DETERIORATED

BANDS: list[tuple[str, str, str | None, str]] = [
    ("peg", "0", "mild", "(0+0+0)/3"),
    ("peg", "3.67", "mild", "(4+4+3)/3 = 11/3, below 4"),
    ("peg", "4", "moderate", "(4+4+4)/3; clinical content: 4 and more is moderate"),
    ("peg", "6.67", "moderate", "(7+7+6)/3 = 20/3, below 7"),
    ("peg", "7", "severe", "(7+7+7)/3; clinical content: 7 and more is severe"),
    ("peg", "10", "severe", "(10+10+10)/3"),
    ("pain-nrs", "0", "mild", "the low end"),
    ("pain-nrs", "5", "mild", "Boonstra 2016: 5 and less is mild"),
    ("pain-nrs", "6", "moderate", "Boonstra 2016: 6 and 7 are moderate"),
    ("pain-nrs", "7", "moderate", "Boonstra 2016: 6 and 7 are moderate"),
    ("pain-nrs", "8", "severe", "Boonstra 2016: 8 and more is severe"),
    ("pain-nrs", "10", "severe", "the high end"),
    ("phq-9", "0", "minimal", "9 times 0"),
    ("phq-9", "4", "minimal", "Kroenke 2001: 0 to 4"),
    ("phq-9", "5", "mild", "Kroenke 2001: 5 to 9"),
    ("phq-9", "9", "mild", "Kroenke 2001: 5 to 9"),
    ("phq-9", "10", "moderate", "Kroenke 2001: 10 to 14"),
    ("phq-9", "14", "moderate", "Kroenke 2001: 10 to 14"),
    ("phq-9", "15", "moderately-severe", "Kroenke 2001: 15 to 19"),
    ("phq-9", "19", "moderately-severe", "Kroenke 2001: 15 to 19"),
    ("phq-9", "20", "severe", "Kroenke 2001: 20 to 27"),
    ("phq-9", "27", "severe", "9 times 3"),
    ("gad-7", "0", "minimal", "7 times 0"),
    ("gad-7", "4", "minimal", "Spitzer 2006: below 5"),
    ("gad-7", "5", "mild", "Spitzer 2006: 5"),
    ("gad-7", "9", "mild", "Spitzer 2006: below 10"),
    ("gad-7", "10", "moderate", "Spitzer 2006: 10"),
    ("gad-7", "14", "moderate", "Spitzer 2006: below 15"),
    ("gad-7", "15", "severe", "Spitzer 2006: 15"),
    ("gad-7", "21", "severe", "7 times 3"),
    ("isi", "0", "none", "7 times 0"),
    ("isi", "7", "none", "Morin 2011: 0 to 7"),
    ("isi", "8", "subthreshold", "Morin 2011: 8 to 14"),
    ("isi", "14", "subthreshold", "Morin 2011: 8 to 14"),
    ("isi", "15", "moderate", "Morin 2011: 15 to 21"),
    ("isi", "21", "moderate", "Morin 2011: 15 to 21"),
    ("isi", "22", "severe", "Morin 2011: 22 to 28"),
    ("isi", "28", "severe", "7 times 4"),
    ("pcs", "0", "below-cutoff", "13 times 0"),
    ("pcs", "30", "below-cutoff", "PCS manual: above 30"),
    ("pcs", "31", "clinically-relevant", "PCS manual: above 30"),
    ("pcs", "52", "clinically-relevant", "13 times 4"),
    ("tsk-11", "11", "minimal", "11 times 1"),
    ("tsk-11", "22", "minimal", "Chimenti 2021: 22 and less"),
    ("tsk-11", "23", "low", "Chimenti 2021: 23 to 28"),
    ("tsk-11", "28", "low", "Chimenti 2021: 23 to 28"),
    ("tsk-11", "29", "moderate", "Chimenti 2021: 29 to 35"),
    ("tsk-11", "35", "moderate", "Chimenti 2021: 29 to 35"),
    ("tsk-11", "36", "high", "Chimenti 2021: 36 and more"),
    ("tsk-11", "44", "high", "11 times 4"),
    ("odi", "0", "minimal", "0 of 50"),
    ("odi", "20", "minimal", "Fairbank 2000: 0 to 20 %; 10 of 50"),
    ("odi", "22", "moderate", "Fairbank 2000: 21 to 40 %; 11 of 50"),
    ("odi", "40", "moderate", "20 of 50"),
    ("odi", "42", "severe", "Fairbank 2000: 41 to 60 %; 21 of 50"),
    ("odi", "60", "severe", "30 of 50"),
    ("odi", "62", "crippled", "Fairbank 2000: 61 to 80 %; 31 of 50"),
    ("odi", "100", "crippled", "50 of 50"),
    ("start-back", "0", None, "the total alone has no bands: medium and high need the subscale (Hill 2008)"),
    ("start-back", "9", None, "9 times 1"),
    ("ort", "0", "low", "the low end"),
    ("ort", "3", "low", "Webster 2005: 0 to 3"),
    ("ort", "4", "moderate", "Webster 2005: 4 to 7"),
    ("ort", "7", "moderate", "Webster 2005: 4 to 7"),
    ("ort", "8", "high", "Webster 2005: 8 and more"),
    ("ort", "26", "high", "the high end"),
    *(
        (f"promis-29-{domain}", value, band, f"50 and {distance} standard deviations of 10 towards worse")
        for domain in ("pain-interference", "fatigue", "sleep-disturbance", "depression", "anxiety")
        for value, band, distance in (
            ("20", "normal", "-3"),
            ("54.9", "normal", "0.49"),
            ("55", "mild", "0.5"),
            ("59.9", "mild", "0.99"),
            ("60", "moderate", "1"),
            ("64.9", "moderate", "1.49"),
            ("65", "moderately-severe", "1.5"),
            ("69.9", "moderately-severe", "1.99"),
            ("70", "severe", "2"),
            ("80", "severe", "3"),
        )
    ),
    *(
        (f"promis-29-{domain}", value, band, f"50 and {distance} standard deviations of 10 towards worse")
        for domain in ("physical-function", "social-roles")
        for value, band, distance in (
            ("80", "normal", "-3"),
            ("45.1", "normal", "0.49"),
            ("45", "mild", "0.5"),
            ("40.1", "mild", "0.99"),
            ("40", "moderate", "1"),
            ("35.1", "moderate", "1.49"),
            ("35", "moderately-severe", "1.5"),
            ("30.1", "moderately-severe", "1.99"),
            ("30", "severe", "2"),
            ("20", "severe", "3"),
        )
    ),
]
"""Measure, score, band, how."""

CLASSES: list[tuple[str, str, str, Response | None, str]] = [
    ("peg", "7", "6.33", N, "21/3 - 19/3 = 0.67, below 1 point"),
    ("peg", "7", "6", M, "21/3 - 18/3 = 1 point; 14 %"),
    ("peg", "10", "7", R, "30/3 - 21/3 = 3; 3/10 = 30 %"),
    ("peg", "10", "7.33", M, "30/3 - 22/3 = 2.67; 26.7 %"),
    ("peg", "10", "5", S, "30/3 - 15/3 = 5; 50 %"),
    ("peg", "10", "5.33", R, "30/3 - 16/3 = 4.67; 46.7 %"),
    ("peg", "6", "6.67", N, "0.67 worse, below 1 point"),
    ("peg", "6", "7", D, "1 point worse"),
    ("pain-nrs", "10", "9", N, "1 point, 10 %"),
    ("pain-nrs", "10", "8", M, "2 points, 20 %"),
    ("pain-nrs", "10", "7", R, "3 of 10 = 30 %"),
    ("pain-nrs", "10", "6", R, "4 of 10 = 40 %"),
    ("pain-nrs", "10", "5", S, "5 of 10 = 50 %"),
    ("pain-nrs", "5", "6", N, "1 point, 20 % worse"),
    ("pain-nrs", "5", "7", D, "2 points worse"),
    ("phq-9", "20", "16", N, "4 points, below 5"),
    ("phq-9", "20", "15", M, "5 points; 25 %"),
    ("phq-9", "20", "11", M, "9 points; 45 %"),
    ("phq-9", "20", "10", R, "10 points; 50 %"),
    ("phq-9", "8", "4", N, "50 % and only 4 points: both are needed, and 4 is below 5"),
    ("phq-9", "10", "14", N, "4 points worse"),
    ("phq-9", "10", "15", D, "5 points worse"),
    ("gad-7", "15", "12", N, "3 points, below 4"),
    ("gad-7", "15", "11", R, "4 points"),
    ("gad-7", "10", "13", N, "3 points worse"),
    ("gad-7", "10", "14", D, "4 points worse"),
    ("isi", "20", "15", N, "5 points, below 6"),
    ("isi", "20", "14", M, "6 points"),
    ("isi", "20", "12", M, "8 points, below 8.4"),
    ("isi", "20", "11", R, "9 points, above 8.4"),
    ("isi", "10", "15", N, "5 points worse"),
    ("isi", "10", "16", D, "6 points worse"),
    ("pcs", "40", "33", N, "7 points, below 8"),
    ("pcs", "40", "32", R, "8 points"),
    ("pcs", "30", "37", N, "7 points worse"),
    ("pcs", "30", "38", D, "8 points worse"),
    ("tsk-11", "40", "35", N, "5 points, below 5.6"),
    ("tsk-11", "40", "34", R, "6 points, above 5.6"),
    ("tsk-11", "30", "35", N, "5 points worse"),
    ("tsk-11", "30", "36", D, "6 points worse"),
    ("odi", "60", "52", N, "8 points; 13 %"),
    ("odi", "60", "50", R, "10 points"),
    ("odi", "30", "22", N, "8 points; 27 %"),
    ("odi", "30", "21", R, "9 points; 30 %"),
    ("odi", "60", "32", R, "28 of 60 = 47 %"),
    ("odi", "60", "30", S, "30 of 60 = 50 %"),
    ("odi", "60", "68", N, "8 points worse"),
    ("odi", "60", "70", D, "10 points worse"),
    ("promis-29-pain-interference", "70", "68.1", N, "1.9, below 2"),
    ("promis-29-pain-interference", "70", "68", M, "2 points"),
    ("promis-29-pain-interference", "70", "67.1", M, "2.9, below 3"),
    ("promis-29-pain-interference", "70", "67", R, "3 points"),
    ("promis-29-pain-interference", "60", "61.9", N, "1.9 worse"),
    ("promis-29-pain-interference", "60", "62", D, "2 points worse"),
    *(
        (measure, low, high, None, "no change that matters is in the table: no class, in either direction")
        for measure, one, other in (
            ("start-back", "0", "9"),
            ("ort", "0", "26"),
            *(
                (f"promis-29-{domain}", "30", "70")
                for domain in (
                    "physical-function",
                    "fatigue",
                    "sleep-disturbance",
                    "depression",
                    "anxiety",
                    "social-roles",
                )
            ),
        )
        for low, high in ((one, other), (other, one))
    ),
]
"""Measure, baseline, latest, class, how."""


def exact(measure: str, value: str) -> Fraction:
    """What a stored score stands for."""
    found = point(BY_ID[measure], observed(measure, value))
    assert isinstance(found, Point)
    return found.value


@pytest.mark.parametrize(("measure", "value", "band", "how"), BANDS)
def test_a_score_has_the_band_of_the_table(measure: str, value: str, band: str | None, how: str) -> None:
    score = exact(measure, value)
    assert as_decimal(score) == Decimal(value), how
    assert BY_ID[measure].band(score) == band, how


@pytest.mark.parametrize(("measure", "before", "after", "expected", "how"), CLASSES)
def test_a_change_has_the_class_of_the_table(
    measure: str, before: str, after: str, expected: Response | None, how: str
) -> None:
    assert classify(BY_ID[measure], exact(measure, before), exact(measure, after))[0] == expected, how


@pytest.mark.parametrize("measure", MEASURES, ids=lambda measure: measure.id)
def test_the_tables_have_both_ends_every_band_and_every_class(measure: Measure) -> None:
    values = {Decimal(value): band for id_, value, band, _ in BANDS if id_ == measure.id}
    assert {measure.low, measure.high} <= values.keys()
    assert set(values.values()) == ({band.code for band in measure.bands} or {None})
    for band in measure.bands[1:]:
        # the edge itself, and a score on its other side
        assert band.start in values
        assert len([value for value in values if abs(value - band.start) <= 2]) >= 2
    classes = {expected for id_, _, _, expected, _ in CLASSES if id_ == measure.id}
    assert classes == _possible(measure)


def _possible(measure: Measure) -> set[Response | None]:
    if measure.matters is None:
        return {None}
    found: set[Response | None] = {N, D}
    found |= {R} if measure.responder else set()
    found |= {S} if measure.substantial else set()
    # a change that matters and is a response at once is never called minimal
    return found | ({M} if measure.responder != measure.matters else set())
