"""Measures of mood, sleep and thoughts about pain: PHQ-9, GAD-7, insomnia, catastrophizing, fear of movement."""

from decimal import Decimal
from fractions import Fraction

from services.careplans.domain.measures.frequency import FREQUENCY
from services.careplans.domain.measures.measure import LOINC, Band, Code, Goal, Item, Measure, Source, Threshold

PFIZER = "Pfizer: no permission required to reproduce, translate, display or distribute."
_PHQ9 = Source("Kroenke et al., J Gen Intern Med 16:606", 2001, verified=True)
_GAD7 = Source("Spitzer et al., Arch Intern Med 166:1092", 2006)
_ISI = Source("Morin et al., Sleep 34:601", 2011, verified=True)
_GAD7_FOUR = Threshold(Source("Toussaint et al., J Affect Disord 265:395", 2020, verified=True), points=Decimal(4))
_PCS_EIGHT = Threshold(Source("Project clinical content", 2025), points=Decimal(8))
_TSK_MORE = Threshold(Source("George et al., J Orthop Sports Phys Ther 40:197", 2010), points=Decimal("5.6"))

SELF_HARM = Item("phq9-9", 0, 3, (Code(LOINC, "44260-8"),), needed=True, answers=FREQUENCY)
"""Any answer but "not at all" is a matter of the same day."""

PHQ9 = Measure(
    id="phq-9",
    title="Patient Health Questionnaire, 9 items",
    unit="{score}",
    low=Decimal(0),
    high=Decimal(27),
    source=_PHQ9,
    code=Code(LOINC, "44261-6"),
    panel=Code(LOINC, "44249-1"),
    bands=(
        Band("minimal", Decimal(0)),
        Band("mild", Decimal(5)),
        Band("moderate", Decimal(10)),
        Band("moderately-severe", Decimal(15)),
        Band("severe", Decimal(20)),
    ),
    bands_source=_PHQ9,
    matters=Threshold(Source("Löwe et al., Med Care 42:1194", 2004, verified=True), points=Decimal(5)),
    responder=Threshold(
        Source("Kroenke and Spitzer, Psychiatr Ann 32:509", 2002), points=Decimal(5), share=Fraction(1, 2), both=True
    ),
    goal=Goal(Decimal(4), Source("Kroenke et al., J Gen Intern Med 16:606", 2001)),
    items=(
        *(
            Item(f"phq9-{number}", 0, 3, (Code(LOINC, code),), answers=FREQUENCY)
            for number, code in enumerate(
                ("44250-9", "44255-8", "44259-0", "44254-1", "44251-7", "44258-2", "44252-5", "44253-3"), start=1
            )
        ),
        SELF_HARM,
    ),
    may_miss=2,
    completeness=(
        "Up to two unanswered items count as the mean of the others, rounded to a whole score"
        " (Kroenke et al., Gen Hosp Psychiatry 32:345, 2010, unverified); never item 9."
    ),
    shipped=True,
    licence=PFIZER,
)

GAD7 = Measure(
    id="gad-7",
    title="Generalized Anxiety Disorder, 7 items",
    unit="{score}",
    low=Decimal(0),
    high=Decimal(21),
    source=_GAD7,
    code=Code(LOINC, "70274-6"),
    bands=(
        Band("minimal", Decimal(0)),
        Band("mild", Decimal(5)),
        Band("moderate", Decimal(10)),
        Band("severe", Decimal(15)),
    ),
    bands_source=_GAD7,
    matters=_GAD7_FOUR,
    responder=_GAD7_FOUR,
    items=tuple(
        Item(f"gad7-{number}", 0, 3, (Code(LOINC, code, verified=False),), answers=FREQUENCY)
        for number, code in enumerate(
            ("69725-0", "68509-9", "69733-4", "69734-2", "69735-9", "69689-8", "69736-7"), start=1
        )
    ),
    completeness="All seven items; no rule for missing ones is published, so an incomplete GAD-7 is not scored.",
    shipped=True,
    licence=PFIZER,
)

ISI = Measure(
    id="isi",
    title="Insomnia Severity Index",
    unit="{score}",
    low=Decimal(0),
    high=Decimal(28),
    source=Source("Bastien et al., Sleep Med 2:297", 2001),
    bands=(
        Band("none", Decimal(0)),
        Band("subthreshold", Decimal(8)),
        Band("moderate", Decimal(15)),
        Band("severe", Decimal(22)),
    ),
    bands_source=_ISI,
    matters=Threshold(Source("Yang et al., Curr Med Res Opin 25:2487", 2009, verified=True), points=Decimal(6)),
    responder=Threshold(_ISI, points=Decimal("8.4")),
    goal=Goal(Decimal(7), _ISI),
    items=tuple(Item(f"isi-{number}", 0, 4) for number in range(1, 8)),
    completeness="All seven items; no rule for missing ones is published.",
    licence="Copyright of C. M. Morin; use needs permission (Mapi Research Trust).",
)

PCS = Measure(
    id="pcs",
    title="Pain Catastrophizing Scale",
    unit="{score}",
    low=Decimal(0),
    high=Decimal(52),
    source=Source("Sullivan et al., Psychol Assess 7:524", 1995),
    bands=(Band("below-cutoff", Decimal(0)), Band("clinically-relevant", Decimal(30), above=True)),
    bands_source=Source("Sullivan, PCS user manual", 2009),
    matters=_PCS_EIGHT,
    responder=_PCS_EIGHT,
    items=tuple(Item(f"pcs-{number}", 0, 4) for number in range(1, 14)),
    completeness="All thirteen items; no rule for missing ones is published.",
    licence="Copyright of M. J. L. Sullivan; use needs a licence (Mapi Research Trust).",
)

TSK11 = Measure(
    id="tsk-11",
    title="Tampa Scale of Kinesiophobia, 11 items",
    unit="{score}",
    low=Decimal(11),
    high=Decimal(44),
    source=Source("Woby et al., Pain 117:137", 2005),
    bands=(
        Band("minimal", Decimal(11)),
        Band("low", Decimal(23)),
        Band("moderate", Decimal(29)),
        Band("high", Decimal(36)),
    ),
    bands_source=Source("Chimenti et al., Front Pain Res 2:739051", 2021, verified=True),
    matters=_TSK_MORE,
    responder=_TSK_MORE,
    items=tuple(Item(f"tsk11-{number}", 1, 4) for number in range(1, 12)),
    completeness="All eleven items; no rule for missing ones is published.",
    licence="Its terms are not verified.",
)

MIND = (PHQ9, GAD7, ISI, PCS, TSK11)
