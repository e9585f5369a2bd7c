"""Result parameters: ``_include``, ``_revinclude`` (http://hl7.org/fhir/R4/search.html#return)."""

from shared.errors import Invalid, NotSupported
from shared.fhir.search.parameters import is_type, parameters_of
from shared.fhir.search.query import Include


def include_of(type_: str, name: str, value: str) -> Include:
    """One ``_include`` or ``_revinclude``: ``Source:parameter[:Target]``.

    Raises ``Invalid`` for a source or parameter that does not exist, ``NotSupported`` for ``:iterate`` and ``*``."""
    kind, _, modifier = name.partition(":")
    if modifier in ("iterate", "recurse") or value == "*":
        raise NotSupported("Includes with :iterate or * are not supported yet.")
    source, _, rest = value.partition(":")
    code, _, target = rest.partition(":")
    parameter = parameters_of(source).get(code) if is_type(source) else None
    if modifier or parameter is None or parameter.kind != "reference" or (target and not is_type(target)):
        raise Invalid("An include names a type and one of its reference parameters.", code="value")
    reverse = kind == "_revinclude"
    if reverse and target not in ("", type_):
        raise Invalid("The target type of a _revinclude is the type that is searched.", code="value")
    return Include(parameter, target or parameter.resolves, reverse)
