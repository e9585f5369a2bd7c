"""The check at the door: structure, codes, references and invariants, then the ``fhir.resources`` model.

http://hl7.org/fhir/R4/validation.html. Profiles are not checked here.
"""

from collections.abc import Iterable

from shared.errors import Invalid, Unprocessable
from shared.fhir.definitions import RESOURCE_TYPES
from shared.fhir.json import Resource
from shared.fhir.validate.model import WITHOUT_MODEL, check_model
from shared.fhir.validate.model_schema import model_schema
from shared.fhir.validate.nested import independent
from shared.fhir.validate.objects import object_check
from shared.fhir.validate.walk import ABOVE, LocalReference, Walk

_root = independent(object_check)


def check(resource: Resource) -> tuple[LocalReference, ...]:
    """Every literal relative reference of ``resource`` (``Type/id``), which is valid R4 when this returns.

    Raises ``Invalid`` where it is no resource of R4, else ``Unprocessable`` with everything that was found."""
    walk = walked(resource)
    if not walk.issues:
        walk.issues.extend(check_model(resource, walk.types))
    if walk.issues:
        raise Unprocessable.of(tuple(walk.issues))
    return tuple(walk.references)


def walked(resource: Resource) -> Walk:
    """The finished walk over ``resource``, without the model. Raises ``Invalid`` where it is no resource of R4."""
    if type(resource) is not dict:
        raise Invalid("A resource must be a JSON object.", code="structure")
    type_ = resource.get("resourceType")
    if type(type_) is not str or type_ not in RESOURCE_TYPES:
        raise Invalid("A resource must name its type, one of R4.", code="structure", expression=("resourceType",))
    walk = Walk()
    _root(resource, ABOVE, type_, -1, walk)
    return walk


def prepare(types: Iterable[str]) -> None:
    """Compile the checks and import the models of ``types`` now instead of at their first write. Safe in a thread."""
    for type_ in types:
        object_check(type_)
        if type_ not in WITHOUT_MODEL:
            model_schema(type_)
