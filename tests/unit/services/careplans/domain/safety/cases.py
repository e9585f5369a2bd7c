"""The table of cases of the safety rules: what is on record, the rule, what it must say, and by what source."""

from typing import Any, NamedTuple

from services.careplans.domain.applying.classes import ICD10CM
from services.careplans.domain.safety.reading import LOINC
from tests.unit.services.careplans.domain.safety.prescriptions import (
    BID,
    DAILY,
    Q6H,
    Q72H,
    QID,
    TID,
    Body,
    instruction,
    prescribed,
    reference,
    told,
)

CLINICAL = "http://terminology.hl7.org/CodeSystem/condition-clinical"
NOTHING = "nothing"
FOUND, POSSIBLE, UNKNOWN, SILENCED = "found", "possible", "unknown", "silenced"

CDC = "CDC 2022"
CDC_TABLE = "CDC 2022, table of conversion factors"
CDC_8 = "CDC 2022, recommendation 8"
CDC_11 = "CDC 2022, recommendation 11"
CDC_SCOPE = "CDC 2022, scope: outpatients of 18 years and more; not sickle cell disease, cancer, palliative care"
FDA_2016 = "FDA 2016-08-31, boxed warning"
FDA_2019 = "FDA 2019-12-19"
FDA_SEROTONIN = "FDA 2016-03-22 and labelling"
FDA_NSAID = "FDA labelling of NSAIDs"
FDA_ACETAMINOPHEN = "FDA labelling of acetaminophen"
FDA_2020 = "FDA 2020-09-23"
KDIGO = "KDIGO 2024"
BEERS = "AGS Beers 2023"
PROJECT = "rule of the project"


class Case(NamedTuple):
    """One row. ``says`` is part of the detail, a missing item or the reason for silence."""

    what: str
    rule: str
    resources: list[Body]
    expected: str
    source: str
    says: str = ""
    severity: str = ""
    patient: Body | None = None


def patient(born: str | None = "1980-05-05") -> Body:
    """The patient."""
    return {"resourceType": "Patient", "id": "p"} | ({"birthDate": born} if born else {})


def condition(
    code: str | None = None, text: str | None = None, *, id: str = "c", status: str = "active", **more: Any
) -> Body:
    """A Condition by its ICD-10-CM code or its name."""
    coding = {"coding": [{"system": ICD10CM, "code": code}]} if code else {}
    return {
        "resourceType": "Condition",
        "id": id,
        "clinicalStatus": {"coding": [{"system": CLINICAL, "code": status}]},
        "code": coding | ({"text": text} if text else {}),
    } | more


def egfr(value: Any, unit: str = "mL/min/{1.73_m2}", day: str = "2026-02-01", **more: Any) -> Body:
    """An eGFR by CKD-EPI."""
    return {
        "resourceType": "Observation",
        "id": more.pop("id", "e"),
        "status": "final",
        "code": {"coding": [{"system": LOINC, "code": "62238-1"}]},
        "effectiveDateTime": day,
        "valueQuantity": {"value": value, "code": unit, "system": "http://unitsofmeasure.org"} | more,
    }


def procedure(text: str, day: str, status: str = "completed") -> Body:
    """A Procedure by its name."""
    return {
        "resourceType": "Procedure",
        "id": "x",
        "status": status,
        "code": {"text": text},
        "performedDateTime": day,
    }


def by(who: str) -> Body:
    """A requester."""
    return {"requester": reference(f"Practitioner/{who}")}


def since(day: str) -> Body:
    """When it was written."""
    return {"authoredOn": day}


OXY10 = "oxycodone 10 mg tablet"
OXY5 = "oxycodone 5 mg tablet"
MS15 = "morphine 15 mg tablet"
FENTANYL25 = "fentanyl 25 mcg/h patch"
PERCOCET = "oxycodone-acetaminophen 5-325 mg tablet"
APAP500 = "acetaminophen 500 mg tablet"
IBUPROFEN = "ibuprofen 600 mg tablet"
NALOXONE = "naloxone 4 mg nasal spray"
LORAZEPAM = "lorazepam 1 mg tablet"
RANGE = [prescribed(MS15, TID, id="1", **by("a")), prescribed(MS15, TID, id="2", **by("b"))]
OPIOID = prescribed(OXY5, BID)

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

TOGETHER = [
    Case("with a benzodiazepine", "opioid-benzodiazepine", [OPIOID, prescribed(LORAZEPAM, id="2")], FOUND, CDC_11),
    Case(
        "told by the patient only",
        "opioid-benzodiazepine",
        [OPIOID, told("Xanax", None)],
        FOUND,
        CDC_11,
        "alprazolam, oxycodone",
    ),
    Case(
        "the benzodiazepine was stopped",
        "opioid-benzodiazepine",
        [OPIOID, prescribed(LORAZEPAM, id="2", status="stopped")],
        NOTHING,
        CDC_11,
    ),
    Case("a benzodiazepine alone", "opioid-benzodiazepine", [prescribed(LORAZEPAM)], NOTHING, CDC_11),
    Case(
        "zolpidem is another",
        "opioid-benzodiazepine",
        [OPIOID, prescribed("zolpidem 5 mg tablet", id="2")],
        NOTHING,
        CDC_11,
    ),
    Case("zolpidem alone", "opioid-cns-depressant", [prescribed("zolpidem 5 mg tablet")], NOTHING, CDC_11),
    Case("with zolpidem", "opioid-cns-depressant", [OPIOID, prescribed("zolpidem 5 mg tablet", id="2")], FOUND, CDC_11),
    Case(
        "with butalbital in a combination",
        "opioid-cns-depressant",
        [OPIOID, prescribed("Fioricet", None, id="2")],
        FOUND,
        CDC_11,
    ),
    Case(
        "with gabapentin",
        "opioid-gabapentinoid",
        [OPIOID, prescribed("gabapentin 300 mg capsule", id="2")],
        FOUND,
        FDA_2019,
        severity="moderate",
    ),
    Case(
        "with COPD",
        "opioid-gabapentinoid",
        [OPIOID, prescribed("gabapentin 300 mg capsule", id="2"), condition("J44.9")],
        FOUND,
        FDA_2019,
        "Higher risk: copd",
        "high",
    ),
    Case(
        "at 65",
        "opioid-gabapentinoid",
        [OPIOID, prescribed("pregabalin 75 mg capsule", id="2")],
        FOUND,
        FDA_2019,
        "65 years or older",
        "high",
        patient("1961-03-02"),
    ),
    Case(
        "one day before 65",
        "opioid-gabapentinoid",
        [OPIOID, prescribed("pregabalin 75 mg capsule", id="2")],
        FOUND,
        FDA_2019,
        severity="moderate",
        patient=patient("1961-03-03"),
    ),
    Case(
        "with an eGFR of 45",
        "opioid-gabapentinoid",
        [OPIOID, prescribed("pregabalin 75 mg capsule", id="2"), egfr(45)],
        FOUND,
        FDA_2019,
        "eGFR below 60",
        "high",
    ),
    Case("gabapentin alone", "opioid-gabapentinoid", [prescribed("gabapentin 300 mg capsule")], NOTHING, FDA_2019),
    Case(
        "with a muscle relaxant",
        "opioid-muscle-relaxant",
        [OPIOID, prescribed("tizanidine 4 mg tablet", id="2")],
        FOUND,
        FDA_2016,
    ),
    Case(
        "a muscle relaxant alone", "opioid-muscle-relaxant", [prescribed("tizanidine 4 mg tablet")], NOTHING, FDA_2016
    ),
    Case(
        "planned, not ordered",
        "opioid-muscle-relaxant",
        [OPIOID, prescribed("baclofen 10 mg tablet", id="2", intent="plan")],
        NOTHING,
        "FHIR R4",
    ),
]

NALOXONE_CASES = [
    Case("with a benzodiazepine", "naloxone-offer", [OPIOID, prescribed(LORAZEPAM, id="2")], FOUND, CDC_8),
    Case("at 60 MME", "naloxone-offer", [prescribed(OXY10, QID)], FOUND, CDC_8, "50 MME/day or more"),
    Case("with sleep apnoea", "naloxone-offer", [OPIOID, condition("G47.33")], FOUND, CDC_8),
    Case(
        "with opioid use disorder in remission",
        "naloxone-offer",
        [OPIOID, condition("F11.21", status="remission")],
        FOUND,
        CDC_8,
    ),
    Case(
        "after poisoning by an opioid",
        "naloxone-offer",
        [OPIOID, condition("T40.2X1A", status="resolved")],
        FOUND,
        CDC_8,
        "prior overdose",
    ),
    Case(
        "after an adverse effect",
        "naloxone-offer",
        [OPIOID, condition("T40.2X5A")],
        NOTHING,
        "ICD-10-CM, 6th character 5",
    ),
    Case("after underdosing", "naloxone-offer", [OPIOID, condition("T40.2X6A")], NOTHING, "ICD-10-CM, 6th character 6"),
    Case(
        "after an adverse effect of fentanyl",
        "naloxone-offer",
        [OPIOID, condition("T40.415A")],
        NOTHING,
        "ICD-10-CM, 6th character 5",
    ),
    Case(
        "history of overdose in words",
        "naloxone-offer",
        [OPIOID, condition(text="History of opioid overdose")],
        FOUND,
        CDC_8,
    ),
    Case(
        "family history of overdose",
        "naloxone-offer",
        [OPIOID, condition(text="Family history of opioid overdose")],
        NOTHING,
        CDC_8,
    ),
    Case("no reason", "naloxone-offer", [OPIOID], NOTHING, CDC_8),
    Case(
        "naloxone is there",
        "naloxone-offer",
        [prescribed(OXY10, QID), prescribed(NALOXONE, None, id="2")],
        NOTHING,
        CDC_8,
    ),
    Case(
        "naloxone was filled this year",
        "naloxone-offer",
        [prescribed(OXY10, QID), prescribed(NALOXONE, None, id="2", status="completed", authoredOn="2025-09-01")],
        NOTHING,
        CDC_8,
    ),
    Case(
        "naloxone was filled two years ago",
        "naloxone-offer",
        [prescribed(OXY10, QID), prescribed(NALOXONE, None, id="2", status="completed", authoredOn="2024-01-01")],
        FOUND,
        CDC_8,
    ),
    Case(
        "buprenorphine with naloxone is none to carry",
        "naloxone-offer",
        [prescribed("buprenorphine 8 mg / naloxone 2 mg film", DAILY), condition("F11.20")],
        FOUND,
        CDC_8,
    ),
    Case("dose unknown", "naloxone-offer", [prescribed(OXY10, None)], UNKNOWN, CDC_8, "no dosage is given"),
    Case("dose undecided", "naloxone-offer", RANGE, POSSIBLE, CDC_8, "45 to 90"),
]

SSRI = "sertraline 50 mg tablet"
TCA = "amitriptyline 25 mg tablet"
SNRI = "duloxetine 60 mg capsule"
OTHERS = [
    Case("tricyclic and SSRI", "serotonergic-pair", [prescribed(TCA), prescribed(SSRI, id="2")], FOUND, FDA_SEROTONIN),
    Case("tricyclic and SNRI", "serotonergic-pair", [prescribed(TCA), prescribed(SNRI, id="2")], FOUND, FDA_SEROTONIN),
    Case(
        "SNRI and tramadol",
        "serotonergic-pair",
        [prescribed(SNRI), prescribed("tramadol 50 mg tablet", id="2")],
        FOUND,
        FDA_SEROTONIN,
    ),
    Case(
        "SSRI and a fentanyl patch",
        "serotonergic-pair",
        [prescribed(SSRI), prescribed(FENTANYL25, Q72H, id="2")],
        FOUND,
        FDA_SEROTONIN,
    ),
    Case(
        "SSRI and oxycodone", "serotonergic-pair", [prescribed(SSRI), prescribed(OXY5, id="2")], NOTHING, FDA_SEROTONIN
    ),
    Case(
        "tramadol and fentanyl",
        "serotonergic-pair",
        [prescribed("tramadol 50 mg tablet"), prescribed(FENTANYL25, Q72H, id="2")],
        NOTHING,
        PROJECT,
    ),
    Case(
        "two SSRIs",
        "serotonergic-pair",
        [prescribed(SSRI), prescribed("citalopram 20 mg tablet", id="2")],
        NOTHING,
        PROJECT,
    ),
    Case(
        "NSAID and apixaban",
        "nsaid-anticoagulant",
        [prescribed(IBUPROFEN), prescribed("apixaban 5 mg tablet", BID, id="2")],
        FOUND,
        FDA_NSAID,
    ),
    Case(
        "aspirin and warfarin",
        "nsaid-anticoagulant",
        [prescribed("aspirin 81 mg tablet"), prescribed("warfarin 5 mg tablet", id="2")],
        FOUND,
        FDA_NSAID,
    ),
    Case(
        "a gel and apixaban",
        "nsaid-anticoagulant",
        [prescribed("diclofenac 1% topical gel"), prescribed("apixaban 5 mg tablet", id="2")],
        NOTHING,
        PROJECT,
    ),
    Case(
        "NSAID and clopidogrel",
        "nsaid-anticoagulant",
        [prescribed(IBUPROFEN), prescribed("clopidogrel 75 mg tablet", id="2")],
        NOTHING,
        PROJECT,
    ),
    Case("NSAID and SSRI", "nsaid-antidepressant", [prescribed(IBUPROFEN), prescribed(SSRI, id="2")], FOUND, FDA_NSAID),
    Case(
        "NSAID over the counter and SNRI",
        "nsaid-antidepressant",
        [told("Advil", None), prescribed(SNRI, id="2")],
        FOUND,
        FDA_NSAID,
    ),
    Case(
        "NSAID and tricyclic",
        "nsaid-antidepressant",
        [prescribed(IBUPROFEN), prescribed(TCA, id="2")],
        NOTHING,
        FDA_NSAID,
    ),
    Case(
        "acetaminophen and SSRI",
        "nsaid-antidepressant",
        [prescribed(APAP500), prescribed(SSRI, id="2")],
        NOTHING,
        FDA_NSAID,
    ),
    Case("eGFR 59", "nsaid-kidney", [prescribed(IBUPROFEN), egfr(59)], FOUND, KDIGO, severity="moderate"),
    Case("eGFR 60", "nsaid-kidney", [prescribed(IBUPROFEN), egfr(60)], NOTHING, KDIGO),
    Case("eGFR 29", "nsaid-kidney", [prescribed(IBUPROFEN), egfr(29)], FOUND, KDIGO, severity="high"),
    Case(
        "the latest counts",
        "nsaid-kidney",
        [prescribed(IBUPROFEN), egfr(45, day="2025-10-01"), egfr(75, id="n")],
        NOTHING,
        KDIGO,
    ),
    Case(
        "an old value",
        "nsaid-kidney",
        [prescribed(IBUPROFEN), egfr(45, day="2024-10-01")],
        POSSIBLE,
        PROJECT,
        "an eGFR of the last 12 months",
    ),
    Case(
        "a unit that cannot be",
        "nsaid-kidney",
        [prescribed(IBUPROFEN), egfr(45, "mg/dL")],
        UNKNOWN,
        PROJECT,
        "no value in mL/min/1.73 m2",
    ),
    Case(
        "another way to write the unit",
        "nsaid-kidney",
        [prescribed(IBUPROFEN), egfr(45, "mL/min/1.73m2")],
        FOUND,
        KDIGO,
    ),
    Case("more than 60", "nsaid-kidney", [prescribed(IBUPROFEN), egfr(60, comparator=">")], NOTHING, KDIGO),
    Case(
        "less than 15", "nsaid-kidney", [prescribed(IBUPROFEN), egfr(15, comparator="<")], FOUND, KDIGO, severity="high"
    ),
    Case("kidney disease on record", "nsaid-kidney", [prescribed(IBUPROFEN), condition("N18.4")], FOUND, KDIGO),
    Case("no eGFR", "nsaid-kidney", [prescribed(IBUPROFEN)], UNKNOWN, KDIGO, "an eGFR"),
    Case("low-dose aspirin", "nsaid-kidney", [prescribed("aspirin 81 mg tablet"), egfr(45)], NOTHING, PROJECT),
    Case(
        "at 65", "tricyclic-risk", [prescribed(TCA)], FOUND, BEERS, "65 years or older", patient=patient("1961-03-02")
    ),
    Case("at 64", "tricyclic-risk", [prescribed(TCA)], NOTHING, BEERS, patient=patient("1961-03-03")),
    Case(
        "with atrial fibrillation",
        "tricyclic-risk",
        [prescribed(TCA), condition("I48.91")],
        FOUND,
        "FDA labelling of tricyclics",
        "arrhythmia",
    ),
    Case("age unknown", "tricyclic-risk", [prescribed(TCA)], UNKNOWN, BEERS, "the birth date", patient=patient(None)),
    Case("born in 1961, that is all", "tricyclic-risk", [prescribed(TCA)], UNKNOWN, BEERS, patient=patient("1961")),
    Case(
        "doxepin 6 mg at 70",
        "tricyclic-risk",
        [prescribed("doxepin 6 mg tablet")],
        NOTHING,
        BEERS,
        patient=patient("1955-01-01"),
    ),
    Case(
        "doxepin 25 mg at 70",
        "tricyclic-risk",
        [prescribed("doxepin 25 mg capsule")],
        FOUND,
        BEERS,
        patient=patient("1955-01-01"),
    ),
    Case(
        "two prescribers of opioids",
        "duplicate-class",
        [prescribed(OXY5, id="1", **by("a")), prescribed(MS15, id="2", **by("b"))],
        FOUND,
        "CDC 2022, recommendation 9",
    ),
    Case(
        "one prescriber of two opioids",
        "duplicate-class",
        [prescribed(OXY5, id="1", **by("a")), prescribed(MS15, id="2", **by("a"))],
        NOTHING,
        "CDC 2022, recommendation 9",
    ),
    Case(
        "prescriber not said",
        "duplicate-class",
        [prescribed(OXY5, id="1", **by("a")), prescribed(MS15, id="2")],
        UNKNOWN,
        PROJECT,
        "MedicationRequest/2: the prescriber",
    ),
    Case(
        "two classes",
        "duplicate-class",
        [prescribed(OXY5, id="1", **by("a")), prescribed(IBUPROFEN, id="2", **by("b"))],
        NOTHING,
        PROJECT,
    ),
    Case(
        "a statement of what is prescribed",
        "duplicate-class",
        [prescribed(OXY5, **by("a")), told(OXY5)],
        NOTHING,
        PROJECT,
    ),
]

ASPIRIN = [
    Case(
        "aspirin 81 mg without a dose",
        "nsaid-kidney",
        [prescribed("aspirin 81 mg tablet", None), egfr(45)],
        NOTHING,
        PROJECT,
    ),
    Case(
        "aspirin 500 mg without a dose", "nsaid-kidney", [told("aspirin 500 mg tablet", None), egfr(45)], FOUND, KDIGO
    ),
]

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

HIGH = prescribed(OXY10, Q6H | {"period": 4})
EXCLUSIONS = [
    Case("17 years", "opioid-dose-90", [HIGH], SILENCED, CDC_SCOPE, "under 18 years", patient=patient("2008-03-03")),
    Case("18 years today", "opioid-dose-90", [HIGH], FOUND, CDC_SCOPE, patient=patient("2008-03-02")),
    Case("17 or 18", "opioid-dose-90", [HIGH], FOUND, CDC_SCOPE, "whether the patient is 18", patient=patient("2008")),
    Case("age unknown", "opioid-dose-90", [HIGH], FOUND, CDC_SCOPE, "the birth date", patient=patient(None)),
    Case(
        "sickle cell disease", "opioid-dose-90", [HIGH, condition("D57.1")], SILENCED, CDC_SCOPE, "sickle cell disease"
    ),
    Case("sickle cell trait", "opioid-dose-90", [HIGH, condition("D57.3")], FOUND, "ICD-10-CM D57.3 is the trait"),
    Case("palliative care", "opioid-dose-90", [HIGH, condition("Z51.5")], SILENCED, CDC_SCOPE, "palliative care"),
    Case(
        "hospice in words",
        "naloxone-offer",
        [HIGH, condition(text="Hospice care")],
        SILENCED,
        CDC_SCOPE,
        "palliative care",
    ),
    Case(
        "chemotherapy last month",
        "opioid-benzodiazepine",
        [HIGH, prescribed(LORAZEPAM, id="2"), condition("C50.9"), procedure("Chemotherapy", "2026-02-01")],
        SILENCED,
        CDC_SCOPE,
        "active cancer treatment",
    ),
    Case(
        "chemotherapy two years ago",
        "opioid-dose-90",
        [HIGH, condition("C50.9"), procedure("Chemotherapy", "2024-02-01")],
        FOUND,
        CDC_SCOPE,
        "whether the cancer on record is under treatment",
    ),
    Case(
        "cancer, treatment not known", "opioid-dose-90", [HIGH, condition("C50.9")], FOUND, CDC_SCOPE, "no sign of it"
    ),
    Case(
        "palliative care was ruled out",
        "opioid-dose-90",
        [HIGH, condition("Z51.5", status="inactive")],
        FOUND,
        "FHIR R4",
    ),
    Case(
        "sickle cell disease is suspected",
        "opioid-dose-90",
        [HIGH, condition("D57.1", verificationStatus={"coding": [{"code": "provisional"}]})],
        FOUND,
        PROJECT,
        "whether sickle cell disease is confirmed",
    ),
    Case(
        "chemotherapy without cancer on record",
        "opioid-dose-90",
        [HIGH, procedure("Chemotherapy", "2026-02-01")],
        FOUND,
        PROJECT,
    ),
    Case(
        "encounter for chemotherapy",
        "opioid-dose-90",
        [HIGH, condition("Z51.11")],
        SILENCED,
        CDC_SCOPE,
        "active cancer",
    ),
    Case(
        "rules about other medicines stay on",
        "nsaid-anticoagulant",
        [prescribed(IBUPROFEN), prescribed("warfarin 5 mg tablet", id="2"), condition("Z51.5")],
        FOUND,
        CDC_SCOPE,
    ),
    Case(
        "serotonin with tramadol stays on",
        "serotonergic-pair",
        [prescribed(SSRI), prescribed("tramadol 50 mg tablet", id="2"), condition("Z51.5")],
        FOUND,
        CDC_SCOPE,
    ),
]

CASES = [*DOSES, *TOGETHER, *NALOXONE_CASES, *OTHERS, *ASPIRIN, *ACETAMINOPHEN, *LONG, *EXCLUSIONS]
