"""The four answers of PHQ-9 and GAD-7: how often in the last two weeks.

LOINC answer codes: US Core 7.0.0, example Questionnaire ``phq-9-example``.
"""

from collections.abc import Mapping

FREQUENCY: Mapping[str, int] = {
    "LA6568-5": 0,
    "LA6569-3": 1,
    "LA6570-1": 2,
    "LA6571-9": 3,
    "not at all": 0,
    "several days": 1,
    "more than half the days": 2,
    "nearly every day": 3,
}
