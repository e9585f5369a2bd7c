"""For whom the rules about opioids are off."""

from tests.unit.services.careplans.domain.safety.cases.other_pairs import SSRI
from tests.unit.services.careplans.domain.safety.cases.rows import (
    CDC_SCOPE,
    FOUND,
    IBUPROFEN,
    LORAZEPAM,
    OXY10,
    PROJECT,
    SILENCED,
    Case,
    condition,
    patient,
    procedure,
)
from tests.unit.services.careplans.domain.safety.prescriptions import Q6H, prescribed

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
