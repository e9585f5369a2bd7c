"""Items of the catalogue as ActivityDefinitions (http://hl7.org/fhir/R4/activitydefinition.html). Pure."""

from collections.abc import Iterator

from services.careplans.catalogue.fhir import citations, discipline_topic, fhirpath, head, own_coding
from services.careplans.catalogue.schema import Catalogue, Group, Hazard, Treatment
from services.careplans.domain.applying.classes import RXNORM, SNOMED
from services.careplans.domain.applying.extensions import (
    ALWAYS,
    CAUTION,
    CONTRAINDICATION,
    FORMAT,
    GROUP,
    HELPS,
    INGREDIENT,
    UNVERIFIED,
)
from services.careplans.domain.applying.medicine_classes import CODES
from services.careplans.domain.applying.medicine_classes import UNVERIFIED as UNVERIFIED_NAMES
from shared.fhir.json import Resource

TYPE = "ActivityDefinition"


def activity_definitions(catalogue: Catalogue) -> list[Resource]:
    """One for every item, in the order of the sources."""
    return [_definition(catalogue, group, treatment) for group, treatment in catalogue.treatments.values()]


def _definition(catalogue: Catalogue, group: Group, treatment: Treatment) -> Resource:
    definition = head(TYPE, treatment.id, treatment.title, treatment.description, catalogue)
    definition["extension"] = list(_extensions(group, treatment))
    definition["purpose"] = f"Helps with: {', '.join(treatment.helps)}."
    definition["usage"] = f"Usual dose: {treatment.dose}."
    definition["topic"] = [discipline_topic(treatment.discipline), {"coding": [own_coding(group.group, group.title)]}]
    definition["relatedArtifact"] = citations(treatment.sources, catalogue)
    definition["kind"] = treatment.kind
    definition["intent"] = "proposal"
    if treatment.kind == "MedicationRequest":
        definition["productCodeableConcept"] = {
            "coding": [own_coding(treatment.id, treatment.title)],
            "text": treatment.title,
        }
        definition["dosage"] = [{"text": treatment.dose}]
    # its own code first: by it people decline, prefer and find
    definition["code"] = {
        "coding": [
            own_coding(treatment.id, treatment.title),
            *({"system": SNOMED, "code": code.code, "display": code.display} for code in treatment.codes),
        ],
        "text": treatment.title,
    }
    definition["participant"] = [{"type": "patient" if treatment.formats == ["self-guided"] else "practitioner"}]
    return definition


def _extensions(group: Group, treatment: Treatment) -> Iterator[Resource]:
    yield {"url": GROUP, "valueCode": group.group}
    if treatment.always:
        yield {"url": ALWAYS, "valueBoolean": True}
    yield from ({"url": FORMAT, "valueCode": format_} for format_ in treatment.formats)
    yield from ({"url": HELPS, "valueString": helped} for helped in treatment.helps)
    yield from (_hazard(CONTRAINDICATION, hazard) for hazard in treatment.contraindications)
    yield from (_hazard(CAUTION, hazard) for hazard in treatment.cautions)
    yield from (_ingredient(name) for name in treatment.ingredients)


def _hazard(url: str, hazard: Hazard) -> Resource:
    parts: list[Resource] = [{"url": "text", "valueString": hazard.text}]
    if expression := hazard.expression():
        parts.append({"url": "condition", "valueExpression": fhirpath(expression)})
    return {"url": url, "extension": parts}


def _ingredient(name: str) -> Resource:
    concept: Resource = {"text": name}
    if code := CODES.get(name):
        coding: Resource = {"system": RXNORM, "code": code, "display": name}
        if name in UNVERIFIED_NAMES:
            coding["extension"] = [{"url": UNVERIFIED, "valueBoolean": True}]
        concept["coding"] = [coding]
    return {"url": INGREDIENT, "valueCodeableConcept": concept}
