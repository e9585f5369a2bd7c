"""Doses of opioids in morphine equivalents: how much, and what nobody can count."""

from tests.unit.services.careplans.domain.safety.cases.rows import (
    CDC,
    CDC_TABLE,
    FENTANYL25,
    FOUND,
    MS15,
    NOTHING,
    OXY5,
    OXY10,
    POSSIBLE,
    PROJECT,
    RANGE,
    UNKNOWN,
    Case,
)
from tests.unit.services.careplans.domain.safety.prescriptions import (
    BID,
    Q6H,
    Q72H,
    QID,
    TID,
    instruction,
    prescribed,
    told,
)

DOSES = [
    Case("60 mg of oxycodone", "opioid-dose-90", [prescribed(OXY10, Q6H | {"period": 4})], FOUND, CDC_TABLE, "90 MME"),
    Case("40 mg of oxycodone", "opioid-dose-50", [prescribed(OXY10, QID)], FOUND, CDC_TABLE, "60 MME/day"),
    Case("90 MME is the other rule's", "opioid-dose-50", [prescribed(OXY10, Q6H | {"period": 4})], NOTHING, CDC),
    Case(
        "a medicine that cannot be told may be an opioid",
        "opioid-dose-50",
        [prescribed(MS15, BID), prescribed("", None, id="2", medicationCodeableConcept={"coding": [{"code": "1"}]})],
        UNKNOWN,
        PROJECT,
        "at least 30 MME/day",
    ),
    Case("89.99 MME", "opioid-dose-90", [prescribed("morphine 89.99 mg tablet")], NOTHING, CDC_TABLE),
    Case("45 MME", "opioid-dose-50", [prescribed(MS15, TID)], NOTHING, CDC_TABLE),
    Case(
        "exactly 50 by a repeating decimal",
        "opioid-dose-50",
        [prescribed("morphine 50 mg tablet", {"frequency": 3, "period": 72, "periodUnit": "h"})],
        FOUND,
        CDC_TABLE,
        "50 MME/day",
    ),
    Case("49.99 MME", "opioid-dose-50", [prescribed("morphine 49.99 mg tablet")], NOTHING, CDC_TABLE),
    Case("a patch of 25 mcg/h", "opioid-dose-50", [prescribed(FENTANYL25, Q72H)], FOUND, CDC_TABLE, "60 MME/day"),
    Case("a patch of 12 mcg/h", "opioid-dose-50", [prescribed("fentanyl 12 mcg/h patch", Q72H)], NOTHING, CDC_TABLE),
    Case(
        "a patch of 75 mcg/h is 180, not 504",
        "opioid-dose-90",
        [
            prescribed(
                "72 HR Fentanyl 0.075 MG/HR Transdermal System", Q72H, dosageInstruction=[instruction(1, "patch", Q72H)]
            )
        ],
        FOUND,
        CDC_TABLE,
        "180 MME/day",
    ),
    Case(
        "mcg, not mg",
        "opioid-dose-50",
        [prescribed("morphine tablet", dosageInstruction=[instruction(15000, "mcg", BID)])],
        NOTHING,
        CDC_TABLE,
    ),
    Case(
        "a solution in mL",
        "opioid-dose-50",
        [prescribed("Morphine Sulfate 2 MG/ML Oral Solution", dosageInstruction=[instruction(10, "mL", TID)])],
        FOUND,
        CDC_TABLE,
        "60 MME/day",
    ),
    Case(
        "a combination counts by its opioid",
        "opioid-dose-50",
        [prescribed("hydrocodone-acetaminophen 10-325 mg tablet", Q6H | {"period": 4})],
        FOUND,
        CDC_TABLE,
        "60 MME/day",
    ),
    Case(
        "as needed counts in full, and is said",
        "opioid-dose-50",
        [prescribed(OXY10, dosageInstruction=[instruction(1, "tablet", QID, asNeededBoolean=True)])],
        FOUND,
        CDC,
        "as needed counted in full",
    ),
    Case(
        "as needed up to a limit",
        "opioid-dose-50",
        [
            prescribed(
                OXY10,
                dosageInstruction=[
                    instruction(
                        1,
                        "tablet",
                        QID,
                        asNeededBoolean=True,
                        maxDosePerPeriod={
                            "numerator": {"value": 3, "unit": "tablet"},
                            "denominator": {"value": 1, "unit": "d"},
                        },
                    )
                ],
            )
        ],
        NOTHING,
        CDC,
    ),
    Case("no dose", "opioid-dose-50", [prescribed(OXY10, None)], UNKNOWN, CDC, "no dosage is given"),
    Case("no dose, the other rule", "opioid-dose-90", [prescribed(OXY10, None)], UNKNOWN, CDC, "not known"),
    Case(
        "one dose known, one not",
        "opioid-dose-50",
        [prescribed(OXY10, QID), prescribed("tramadol 50 mg tablet", None, id="2")],
        FOUND,
        CDC,
        "at least 60 MME/day",
    ),
    Case(
        "one dose known and below, one not",
        "opioid-dose-50",
        [prescribed(OXY10, BID), prescribed("tramadol 50 mg tablet", None, id="2")],
        UNKNOWN,
        CDC,
        "at least 30 MME/day",
    ),
    Case(
        "the text contradicts",
        "opioid-dose-50",
        [prescribed(OXY10, dosageInstruction=[instruction(1, "tablet", BID, text="1 tablet 4 times a day")])],
        UNKNOWN,
        PROJECT,
        "the text says 4 times a day, the timing 2",
    ),
    Case("twice told, or taken twice", "opioid-dose-50", RANGE, POSSIBLE, PROJECT, "45 to 90 MME/day"),
    Case(
        "two opioids together",
        "opioid-dose-50",
        [prescribed(OXY5, TID, id="1"), prescribed(MS15, BID, id="2")],
        FOUND,
        CDC,
        "52.5",
    ),
    Case(
        "told twice by one prescription", "opioid-dose-50", [prescribed(MS15, TID), told(MS15, TID)], NOTHING, PROJECT
    ),
    Case("stopped", "opioid-dose-50", [prescribed(OXY10, QID, status="stopped")], NOTHING, "FHIR R4"),
    Case(
        "buprenorphine is not counted",
        "opioid-dose-50",
        [prescribed("buprenorphine 8 mg tablet", TID)],
        NOTHING,
        CDC_TABLE,
    ),
    Case(
        "an injection has no factor",
        "opioid-dose-50",
        [prescribed("morphine 10 mg/mL injection", dosageInstruction=[instruction(1, "mL", QID)])],
        UNKNOWN,
        CDC_TABLE,
        "no factor",
    ),
]
