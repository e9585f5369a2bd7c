"""Medicines that do not go together without an opioid, and with illnesses, age and each other."""

from tests.unit.services.careplans.domain.safety.cases.rows import (
    APAP500,
    BEERS,
    FDA_NSAID,
    FDA_SEROTONIN,
    FENTANYL25,
    FOUND,
    IBUPROFEN,
    KDIGO,
    MS15,
    NOTHING,
    OXY5,
    POSSIBLE,
    PROJECT,
    UNKNOWN,
    Case,
    by,
    condition,
    egfr,
    patient,
)
from tests.unit.services.careplans.domain.safety.prescriptions import BID, Q72H, prescribed, told

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
