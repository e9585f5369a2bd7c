"""What ActivityDefinitions and PlanDefinitions have in common (http://hl7.org/fhir/R4/metadatatypes.html)."""

from collections.abc import Iterable
from typing import Any

from services.careplans.catalogue.schema import Catalogue, name_of
from services.careplans.domain.applying.expressions import LANGUAGE
from services.careplans.domain.applying.extensions import TREATMENT
from services.careplans.domain.codes import DISCIPLINE_SYSTEM
from shared.fhir.json import Resource

BASE = "https://consilium.care/fhir/"
PUBLISHER = "Consilium"
COPYRIGHT = (
    "Contains codes of SNOMED CT, which is used by permission of SNOMED International, and of RxNorm, courtesy of the"
    " U.S. National Library of Medicine. LOINC is copyright Regenstrief Institute, Inc. and the LOINC Committee."
)
DISCIPLINES = {
    "pain-medicine": "Pain medicine",
    "mental-health": "Mental health",
    "physical-therapy": "Physical therapy",
    "complementary": "Complementary treatment",
    "self-management": "Self-management",
}
PATIENT_SUBJECT = {"coding": [{"system": "http://hl7.org/fhir/resource-types", "code": "Patient"}]}


def url_of(type_: str, id_: str) -> str:
    """The canonical URL, without the version."""
    return f"{BASE}{type_}/{id_}"


def head(type_: str, id_: str, title: str, description: str, catalogue: Catalogue) -> Resource:
    """The elements that identify a definition and say where it stands."""
    return {
        "resourceType": type_,
        "id": id_,
        "url": url_of(type_, id_),
        "version": catalogue.version,
        "name": name_of(title),
        "title": title,
        "status": catalogue.status,
        "experimental": False,
        "subjectCodeableConcept": PATIENT_SUBJECT,
        "date": catalogue.reviewed.isoformat(),
        "publisher": PUBLISHER,
        "description": description,
        "copyright": COPYRIGHT,
        "lastReviewDate": catalogue.reviewed.isoformat(),
    }


def citations(ids: Iterable[str], catalogue: Catalogue) -> list[Resource]:
    """The sources as RelatedArtifacts."""
    found = ((id_, catalogue.source(id_)) for id_ in ids)
    return [
        {"type": "citation", "label": id_, "citation": source.citation} | ({"url": source.url} if source.url else {})
        for id_, source in found
    ]


def fhirpath(expression: str, description: str | None = None) -> Resource:
    """An Expression."""
    described = {"description": description} if description else {}
    return described | {"language": LANGUAGE, "expression": expression}


def discipline_topic(discipline: str) -> Resource:
    """The discipline as a topic."""
    return {"coding": [{"system": DISCIPLINE_SYSTEM, "code": discipline, "display": DISCIPLINES[discipline]}]}


def own_coding(code: str, display: str) -> dict[str, Any]:
    """A code of the catalogue."""
    return {"system": TREATMENT, "code": code, "display": display}
