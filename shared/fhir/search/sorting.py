"""``_sort`` (http://hl7.org/fhir/R4/search.html#sort).

Dates sort by their start, numbers by their value, tokens by what people read: the text or display of a concept, or the
code of an element that has nothing else. What is sorted by a reference has to be bound to patients or ids: no index is
in that order.
"""

from collections.abc import Sequence

from shared.errors import Invalid
from shared.fhir.search.filters import Filter, Ids, Patients
from shared.fhir.search.parameters import Parameter, parameters_of
from shared.fhir.search.params.token import text_key
from shared.fhir.search.query import Sort

_MOST_KEYS = 8
_READABLE = frozenset({"CodeableConcept", "Coding", "code"})


def sort_of(type_: str, written: Sequence[str], filters: Sequence[Filter]) -> tuple[Sort, ...]:
    """The keys of ``_sort``, comma lists one after the other, for a search by ``filters``.

    Raises ``Invalid`` where results cannot be sorted by one."""
    names = [name for value in written for name in value.split(",")]
    if len(names) > _MOST_KEYS:
        raise Invalid("There are too many sort keys.", code="too-costly")
    keys = tuple(_key(type_, name.removeprefix("-"), name.startswith("-")) for name in names)
    bound = any(isinstance(each, Patients) or (isinstance(each, Ids) and not each.negated) for each in filters)
    if not bound and any(key.kind == "reference" for key in keys):
        raise Invalid("Only results of a patient or of given ids can be sorted by a reference.", code="too-costly")
    return keys


def _key(type_: str, name: str, descending: bool) -> Sort:
    if name == "_lastUpdated":
        return Sort("updated", descending)
    if name == "_id":
        return Sort("id", descending)
    parameter = parameters_of(type_).get(name)
    found = None if parameter is None else _of_parameter(parameter, descending)
    if found is None:
        raise Invalid("Results cannot be sorted by one of the parameters of _sort.", code="not-supported")
    return found


def _of_parameter(parameter: Parameter, descending: bool) -> Sort | None:
    match parameter.kind:
        case "date":
            return Sort("date", descending, parameter.key)
        case "string" | "uri":
            return Sort("string", descending, parameter.key)
        case "number" | "quantity":
            return Sort("quantity", descending, parameter.key)
        case "token" if any(path.type in _READABLE for path in parameter.paths):
            return Sort("string", descending, text_key(parameter.type, parameter.slot))
        case "reference" if len(parameter.paths) == 1 and parameter.paths[0].type == "Reference":
            return _of_reference(parameter, descending)
    return None


def _of_reference(parameter: Parameter, descending: bool) -> Sort | None:
    """By the text of a reference that does not repeat; ``patient`` is the subject, where that is a patient."""
    [path] = parameter.paths
    once = any(other.single and other.slot == parameter.slot for other in parameters_of(parameter.type).values())
    if not once or any(step.child for step in path.steps):
        return None
    start = f"{parameter.resolves}/" if parameter.resolves else ""
    return Sort("reference", descending, path=(*(step.key for step in path.steps), "reference"), start=start)
