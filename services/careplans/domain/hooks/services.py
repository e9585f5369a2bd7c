"""The services that are offered, as data (https://cds-hooks.hl7.org/2.0/#discovery)."""

from collections.abc import Mapping
from dataclasses import dataclass

from services.careplans.domain.safety.kidney import CODES
from services.careplans.domain.safety.reading import LOINC
from shared.errors import NotFound
from shared.fhir.json import Resource

_EGFR = ",".join(f"{LOINC}|{code}" for code in sorted(CODES))
PREFETCH: Mapping[str, tuple[str, str]] = {
    "patient": ("Patient", "Patient/{{context.patientId}}"),
    "medicationRequests": ("MedicationRequest", "MedicationRequest?patient={{context.patientId}}"),
    "medicationStatements": ("MedicationStatement", "MedicationStatement?patient={{context.patientId}}"),
    "conditions": ("Condition", "Condition?patient={{context.patientId}}"),
    "egfr": ("Observation", f"Observation?patient={{{{context.patientId}}}}&code={_EGFR}&_sort=-date&_count=10"),
    "procedures": ("Procedure", "Procedure?patient={{context.patientId}}"),
}
"""Key -> type and template."""
REQUIRED = ("patient", "medicationRequests")
"""Without these nothing can be judged."""


@dataclass(frozen=True, slots=True)
class HookService:
    """One service."""

    id: str
    hook: str
    title: str
    description: str

    @property
    def orders(self) -> bool:
        """Whether it is about draft orders."""
        return self.hook != "patient-view"


SERVICES: tuple[HookService, ...] = (
    HookService(
        "consilium-safety-patient-view",
        "patient-view",
        "Safety of the medication list",
        "What the safety rules find on the merged medication list of the patient, with sources and missing data.",
    ),
    HookService(
        "consilium-safety-order-select",
        "order-select",
        "Safety of a selected order",
        "What the safety rules find where a selected order is added to the merged medication list.",
    ),
    HookService(
        "consilium-safety-order-sign",
        "order-sign",
        "Safety of orders to sign",
        "What the safety rules find, or cannot judge, where the orders are added to the merged medication list.",
    ),
)


def service_of(id_: str) -> HookService:
    """The service with that id. Raises ``NotFound``."""
    found = next((each for each in SERVICES if each.id == id_), None)
    if found is None:
        raise NotFound("No such CDS service.")
    return found


def discovery() -> Resource:
    """The answer to ``GET /cds-services``."""
    prefetch = {key: template for key, (_, template) in PREFETCH.items()}
    return {
        "services": [
            {
                "hook": each.hook,
                "title": each.title,
                "description": f"{each.description} Advisory: no clinician has signed off the rules.",
                "id": each.id,
                "prefetch": prefetch,
            }
            for each in SERVICES
        ]
    }
