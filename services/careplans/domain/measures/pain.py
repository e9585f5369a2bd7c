"""Measures of pain and what it keeps people from: PEG, numeric rating, Oswestry, STarT Back, opioid risk."""

from decimal import Decimal
from fractions import Fraction

from services.careplans.domain.measures.measure import (
    LOINC,
    Band,
    Code,
    Item,
    Measure,
    Method,
    Source,
    Threshold,
)

IMMPACT = Source("Dworkin et al., J Pain 9:105", 2008, verified=True)
THIRTY, HALF = Fraction(3, 10), Fraction(1, 2)

PEG = Measure(
    id="peg",
    title="PEG pain scale: pain, enjoyment of life, general activity",
    unit="{score}",
    low=Decimal(0),
    high=Decimal(10),
    source=Source("Krebs et al., J Gen Intern Med 24:733", 2009),
    code=Code(LOINC, "91147-9"),
    also=(Code("http://cds.ahrq.gov/cdsconnect/pms", "PEGASSESSMENT", verified=False),),
    panel=Code(LOINC, "91148-7"),
    bands=(Band("mild", Decimal(0)), Band("moderate", Decimal(4)), Band("severe", Decimal(7))),
    bands_source=Source("Project clinical content", 2025),
    matters=Threshold(Source("Reed et al., J Pain 25:142", 2024, verified=True), points=Decimal(1)),
    responder=Threshold(IMMPACT, share=THIRTY),
    substantial=Threshold(IMMPACT, share=HALF),
    items=(
        Item("peg-1", 0, 10, (Code(LOINC, "75893-8"),)),
        Item("peg-2", 0, 10, (Code(LOINC, "91145-3"),)),
        Item("peg-3", 0, 10, (Code(LOINC, "91146-1"),)),
    ),
    method=Method.MEAN,
    completeness="All three items; no rule for missing ones is published, so an incomplete PEG is not scored.",
    grid=3,
    shipped=True,
    licence="Free to use.",
)

NRS = Measure(
    id="pain-nrs",
    title="Pain severity, numeric rating 0 to 10",
    unit="{score}",
    low=Decimal(0),
    high=Decimal(10),
    source=Source("Farrar et al., Pain 94:149", 2001),
    code=Code(LOINC, "72514-3"),
    bands=(Band("mild", Decimal(0)), Band("moderate", Decimal(5), above=True), Band("severe", Decimal(8))),
    bands_source=Source("Boonstra et al., Front Psychol 7:1466", 2016, verified=True),
    matters=Threshold(Source("Farrar et al., Pain 94:149", 2001), points=Decimal(2), share=THIRTY),
    responder=Threshold(IMMPACT, share=THIRTY),
    substantial=Threshold(IMMPACT, share=HALF),
    completeness="One rating.",
    licence="No questionnaire: the rating comes as an Observation, or as an item with its code.",
)

ODI = Measure(
    id="odi",
    title="Oswestry Disability Index",
    unit="%",
    low=Decimal(0),
    high=Decimal(100),
    source=Source("Fairbank and Pynsent, Spine 25:2940", 2000),
    bands=(
        Band("minimal", Decimal(0)),
        Band("moderate", Decimal(20), above=True),
        Band("severe", Decimal(40), above=True),
        Band("crippled", Decimal(60), above=True),
    ),
    bands_source=Source("Fairbank and Pynsent, Spine 25:2940", 2000, verified=True),
    matters=Threshold(Source("Ostelo et al., Spine 33:90", 2008), points=Decimal(10), share=THIRTY),
    responder=Threshold(Source("Ostelo et al., Spine 33:90", 2008), points=Decimal(10), share=THIRTY),
    substantial=Threshold(Source("Fritz et al., Spine 34:2803", 2009, verified=True), share=HALF),
    items=tuple(Item(f"odi-{n}", 0, 5) for n in range(1, 11)),
    method=Method.PERCENT,
    may_miss=1,
    completeness="One section may be missing: the others count as a share of what they allow (Fairbank, 2000).",
    licence="Copyright; needs a licence from the Mapi Research Trust.",
)

START_BACK = Measure(
    id="start-back",
    title="STarT Back screening tool, total",
    unit="{score}",
    low=Decimal(0),
    high=Decimal(9),
    source=Source("Hill et al., Arthritis Rheum 59:632", 2008),
    code=Code(LOINC, "91351-7"),
    completeness="The total as it is given; all nine items where they are (no rule for missing ones is published).",
    items=tuple(Item(f"start-back-{n}", 0, 1) for n in range(1, 10)),
    licence="Copyright of Keele University; free for clinical use under its own licence, which we do not pass on.",
    note="The total alone does not tell medium from high risk: that needs the psychosocial subscale.",
)

ORT = Measure(
    id="ort",
    title="Opioid Risk Tool, total",
    unit="{score}",
    low=Decimal(0),
    high=Decimal(26),
    source=Source("Webster and Webster, Pain Med 6:432", 2005),
    code=Code(LOINC, "91392-1"),
    bands=(Band("low", Decimal(0)), Band("moderate", Decimal(4)), Band("high", Decimal(8))),
    bands_source=Source("Webster and Webster, Pain Med 6:432", 2005),
    completeness="The total as it is given: items are weighted by sex, and are not taken here.",
    licence="Copyright; its terms are not verified.",
    note="Never a sole basis for denying treatment. A risk, not an outcome: changes are not classed.",
)

PAIN = (PEG, NRS, ODI, START_BACK, ORT)
