"""Everything that the catalogue puts into the shared record."""

import hashlib
from collections.abc import Iterable

from services.careplans.catalogue.activity_definitions import activity_definitions
from services.careplans.catalogue.plan_definitions import plan_definitions
from services.careplans.catalogue.schema import Catalogue
from shared.fhir.json import Resource, dumps


def definitions(catalogue: Catalogue) -> list[Resource]:
    """ActivityDefinitions, then the PlanDefinitions that name them."""
    return [*activity_definitions(catalogue), *plan_definitions(catalogue)]


def digest(resources: Iterable[Resource]) -> str:
    """SHA-256 of the definitions, by which a change without a new version is found."""
    return hashlib.sha256(b"\n".join(map(dumps, resources))).hexdigest()
