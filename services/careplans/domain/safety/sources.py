"""Where the rules come from."""

from services.careplans.domain.safety import factors
from services.careplans.domain.safety.finding import Source

_BOXED = "FDA Drug Safety Communication, 2016-08-31"
_GABAPENTINOIDS = "FDA Drug Safety Communication, 2019-12-19"
_KDIGO = "KDIGO Clinical Practice Guideline for the Evaluation and Management of Chronic Kidney Disease, 2024"
_BEERS = "AGS Beers Criteria for potentially inappropriate medication use in older adults, 2023"
_LABELLING = "FDA labelling"


def cdc(section: str) -> Source:
    """The guideline of 2022."""
    return Source(factors.SOURCE, section, factors.URL)


DOSE = cdc("recommendations 4 and 5, and table of conversion factors")
NALOXONE = cdc("recommendation 8")
REVIEW = cdc("recommendation 7: reassess benefits and risks, at least every 3 months")
DEPRESSANTS = cdc("recommendation 11")
RELAXANTS = Source(_BOXED, "opioids with benzodiazepines or other CNS depressants, muscle relaxants among them")
GABAPENTINOIDS = Source(
    _GABAPENTINOIDS, "serious breathing problems with gabapentin and pregabalin, and who is at higher risk"
)
SEROTONIN = Source("FDA Drug Safety Communication, 2016-03-22, and " + _LABELLING, "serotonin syndrome")
BLEEDING = Source(_LABELLING + " of NSAIDs", "warnings: bleeding with anticoagulants, SSRIs and SNRIs")
KIDNEY = Source(_KDIGO, "medication management: NSAIDs")
TRICYCLICS = Source(_BEERS, "tricyclic antidepressants; labelling: cardiovascular warnings")
DUPLICATES = cdc("recommendation 9: prescriptions of several prescribers; rule of the project for the other classes")
ACETAMINOPHEN = Source(_LABELLING + " of acetaminophen", "maximum of 4 g in 24 hours from all sources")
BENZODIAZEPINES = Source(
    "FDA Drug Safety Communication, 2020-09-23", "dependence on and withdrawal from benzodiazepines"
)
