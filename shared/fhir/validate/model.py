"""The structural check by the ``fhir.resources`` models of R4B (https://github.com/nazrulworld/fhir.resources).

There are none of R4; R4B is R4 but for the types in ``WITHOUT_MODEL``. The walk has passed before a model is asked, so
what a model adds are the checks of its own. Its messages repeat the input and are not used; its places are.
"""

from collections.abc import Iterator
from typing import Any

from pydantic import ValidationError

from shared.errors import Issue
from shared.fhir.json import Resource
from shared.fhir.validate.model_schema import model_schema
from shared.fhir.validate.walk import MOST_ISSUES

_ABSENT = "R4B does not have this type"

WITHOUT_MODEL = {
    "Evidence": "R4B remade it: elements of R4 are gone, new ones are required",
    "EvidenceVariable": "R4B remade it: elements of R4 are gone, new ones are required",
    "EffectEvidenceSynthesis": _ABSENT,
    "MedicinalProduct": _ABSENT,
    "MedicinalProductAuthorization": _ABSENT,
    "MedicinalProductContraindication": _ABSENT,
    "MedicinalProductIndication": _ABSENT,
    "MedicinalProductIngredient": _ABSENT,
    "MedicinalProductInteraction": _ABSENT,
    "MedicinalProductManufactured": _ABSENT,
    "MedicinalProductPackaged": _ABSENT,
    "MedicinalProductPharmaceutical": _ABSENT,
    "MedicinalProductUndesirableEffect": _ABSENT,
    "RiskEvidenceSynthesis": _ABSENT,
    "SubstanceNucleicAcid": _ABSENT,
    "SubstancePolymer": _ABSENT,
    "SubstanceProtein": _ABSENT,
    "SubstanceReferenceInformation": _ABSENT,
    "SubstanceSourceMaterial": _ABSENT,
    "SubstanceSpecification": _ABSENT,
}
"""Types that only the walk checks, with the reason."""

PASSED_OVER = {
    "uuid_version": "R4's uuid is of any version (http://hl7.org/fhir/R4/datatypes.html#uuid), the model's is not",
    "string_pattern_mismatch": "the walk checks formats; the model's patterns refuse text of Unicode blanks only",
}
"""Kinds of findings of pydantic that say nothing about R4, with the reason."""


def check_model(resource: Resource, types: set[str]) -> Iterator[Issue]:
    """What the model of ``resource`` finds. ``types`` are those of the resource and of all resources in it."""
    if not types.isdisjoint(WITHOUT_MODEL):
        return
    try:
        model_schema(resource["resourceType"]).validate_python(resource)
    except ValidationError as error:
        for finding in error.errors(include_url=False, include_context=False, include_input=False)[:MOST_ISSUES]:
            if finding["type"] not in PASSED_OVER:
                path = _expression(resource["resourceType"], finding["loc"])
                yield Issue("structure", "The content does not fit the FHIR model of this element.", (path,))


def _expression(type_: str, location: tuple[Any, ...]) -> str:
    path = type_
    for step in location:
        path += f"[{step}]" if isinstance(step, int) else f".{step}"
    return path
