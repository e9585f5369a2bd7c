"""Acetaminophen from all sources, and what is taken for long without a review."""

from tests.unit.services.careplans.domain.safety.cases.rows import (
    APAP500,
    FDA_2020,
    FDA_ACETAMINOPHEN,
    FOUND,
    LORAZEPAM,
    NOTHING,
    OPIOID,
    OXY5,
    PERCOCET,
    PROJECT,
    UNKNOWN,
    Case,
    procedure,
    since,
)
from tests.unit.services.careplans.domain.safety.prescriptions import (
    BID,
    Q6H,
    QID,
    TID,
    instruction,
    prescribed,
    reference,
    told,
)

ACETAMINOPHEN = [
    Case("4500 mg", "acetaminophen-4g", [prescribed(APAP500, TID, count=3)], FOUND, FDA_ACETAMINOPHEN, "4500 mg/day"),
    Case("4000 mg", "acetaminophen-4g", [prescribed(APAP500, QID, count=2)], NOTHING, FDA_ACETAMINOPHEN),
    Case(
        "alone and in a combination",
        "acetaminophen-4g",
        [prescribed(APAP500, QID, count=2), prescribed(PERCOCET, BID, id="2")],
        FOUND,
        FDA_ACETAMINOPHEN,
        "4650 mg/day",
    ),
    Case(
        "a brand by name, dose not known",
        "acetaminophen-4g",
        [prescribed(APAP500, TID), told("Tylenol", None)],
        UNKNOWN,
        FDA_ACETAMINOPHEN,
        "at least 1500 mg/day",
    ),
    Case(
        "as needed counts in full",
        "acetaminophen-4g",
        [prescribed(APAP500, dosageInstruction=[instruction(2, "tablet", Q6H | {"period": 4}, asNeededBoolean=True)])],
        FOUND,
        FDA_ACETAMINOPHEN,
        "6000 mg/day, as needed counted in full",
    ),
    Case(
        "in grams",
        "acetaminophen-4g",
        [prescribed("acetaminophen tablet", dosageInstruction=[instruction(1, "g", QID)])],
        NOTHING,
        FDA_ACETAMINOPHEN,
    ),
]

LONG = [
    Case("13 weeks", "opioid-long-use", [OPIOID | since("2025-12-01")], FOUND, "CDC 2022, recommendation 7"),
    Case("12 weeks", "opioid-long-use", [OPIOID | since("2025-12-08")], NOTHING, "CDC 2022, recommendation 7"),
    Case(
        "reviewed since",
        "opioid-long-use",
        [OPIOID | since("2025-06-01"), procedure("Medication review", "2026-01-15")],
        NOTHING,
        "CDC 2022, recommendation 7",
    ),
    Case(
        "reviewed long ago",
        "opioid-long-use",
        [OPIOID | since("2025-06-01"), procedure("Medication review", "2025-10-15")],
        FOUND,
        "CDC 2022, recommendation 7",
        "the last review was on 2025-10-15",
    ),
    Case("since when is not known", "opioid-long-use", [OPIOID], UNKNOWN, PROJECT, "since when it is taken"),
    Case(
        "renewed",
        "opioid-long-use",
        [
            OPIOID | since("2025-11-01") | {"status": "completed"},
            prescribed(OXY5, BID, id="n", priorPrescription=reference("MedicationRequest/r"), **since("2026-02-20")),
        ],
        FOUND,
        "CDC 2022, recommendation 7",
        "Since 2025-11-01",
    ),
    Case(
        "month after month without a link",
        "opioid-long-use",
        [
            *(OPIOID | since(f"2025-{month}-20") | {"id": month, "status": "completed"} for month in ("11", "12")),
            *(OPIOID | since(f"2026-{month}-20") | {"id": month} for month in ("01", "02")),
        ],
        FOUND,
        "CDC 2022, recommendation 7",
        "Since 2025-11-20",
    ),
    Case(
        "a short course a year ago",
        "opioid-long-use",
        [OPIOID | since("2025-02-20") | {"id": "old", "status": "completed"}, OPIOID | since("2026-02-20")],
        NOTHING,
        "CDC 2022, recommendation 7",
    ),
    Case(
        "lorazepam since summer",
        "benzodiazepine-long-use",
        [prescribed(LORAZEPAM, **since("2025-07-01"))],
        FOUND,
        FDA_2020,
    ),
    Case(
        "lorazepam since a month",
        "benzodiazepine-long-use",
        [prescribed(LORAZEPAM, **since("2026-02-01"))],
        NOTHING,
        FDA_2020,
    ),
]
