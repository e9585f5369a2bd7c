"""All measures, and how to find one: by id, by the code of a score, by the code of an item."""

from collections.abc import Mapping

from services.careplans.domain.measures.measure import LOCAL_ITEMS, LOINC, Item, Measure
from services.careplans.domain.measures.mind import MIND
from services.careplans.domain.measures.pain import PAIN
from services.careplans.domain.measures.promis import PROMIS

VERSION = "1"
"""Of the table as a whole; it goes up with every change of a row."""

MEASURES: tuple[Measure, ...] = (*PAIN, *MIND, *PROMIS)

BY_ID: Mapping[str, Measure] = {measure.id: measure for measure in MEASURES}
BY_CODE: Mapping[tuple[str, str], Measure] = {
    (code.system, code.code): measure for measure in MEASURES for code in measure.codes
}
"""(system, code) of a score -> measure."""
BY_PANEL: Mapping[tuple[str, str], Measure] = {
    (measure.panel.system, measure.panel.code): measure for measure in MEASURES if measure.panel
}
"""(system, code) of an Observation that has the items as components -> measure."""
ITEMS: Mapping[tuple[str, str], tuple[Measure, Item]] = {
    key: (measure, item)
    for measure in MEASURES
    for item in measure.items
    for key in ((LOCAL_ITEMS, item.link), *((code.system, code.code) for code in item.codes))
}
"""(system, code) of an item -> its measure and the item."""
BY_QUESTIONNAIRE: Mapping[str, Measure] = {measure.questionnaire: measure for measure in MEASURES if measure.shipped}
"""Canonical URL, without a version -> measure."""
LOINC_CODES: frozenset[str] = frozenset(code for system, code in (*BY_CODE, *ITEMS) if system == LOINC)
"""Every LOINC code that an answer may be about."""
