"""The FHIR operations on a CarePlan (http://hl7.org/fhir/R4/operations.html); their definitions are at the gateway."""

from services.careplans.api.contributions import contribution
from services.careplans.api.differences import difference
from shared.fhir.operations.operation import Level, Operation

_DEFINITIONS = "https://consilium.care/fhir/OperationDefinition"

OPERATIONS = (
    Operation(
        name="contribute",
        definition=f"{_DEFINITIONS}/careplan-contribute",
        levels=frozenset({Level.INSTANCE}),
        types=frozenset({"CarePlan"}),
        methods=("POST",),
        run=contribution,
    ),
    Operation(
        name="diff",
        definition=f"{_DEFINITIONS}/careplan-diff",
        levels=frozenset({Level.INSTANCE}),
        types=frozenset({"CarePlan"}),
        run=difference,
    ),
)
