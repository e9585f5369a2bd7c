"""Result parameters: ``_include``, ``_revinclude`` (http://hl7.org/fhir/R4/search.html#return)."""

from shared.errors import Invalid
from shared.fhir.search.links import may_refer
from shared.fhir.search.parameters import is_type, parameters_of
from shared.fhir.search.query import Include

_ITERATE = ("iterate", "recurse")


def includes_of(type_: str, name: str, value: str) -> list[Include]:
    """What one ``_include`` or ``_revinclude`` asks for: ``Source:parameter[:Target]``, ``Source:*`` or ``*``.

    Raises ``Invalid`` for a source or parameter that does not exist, and for a ``*`` that could bring in anything."""
    kind, _, modifier = name.partition(":")
    reverse, iterate = kind == "_revinclude", modifier in _ITERATE
    if kind not in ("_include", "_revinclude") or (modifier and not iterate):
        raise Invalid("An include takes the modifier :iterate alone.", code="not-supported")
    if value == "*" and (reverse or iterate):
        raise Invalid("This is more than one page can hold: name a type, as in Type:*.", code="too-costly")
    source, _, rest = (f"{type_}:*" if value == "*" else value).partition(":")
    code, _, target = rest.partition(":")
    known = parameters_of(source) if is_type(source) else {}
    parameters = [p for p in known.values() if p.kind == "reference" and code in ("*", p.name)]
    if not parameters or (target and not is_type(target)):
        raise Invalid("An include names a type and one of its reference parameters.", code="value")
    if reverse and not iterate:
        if target not in ("", type_):
            raise Invalid("The target type of a _revinclude is the type that is searched.", code="value")
        if code == "*":
            parameters = [parameter for parameter in parameters if may_refer(parameter, type_)]
    return [Include(parameter, target or parameter.resolves, reverse, iterate) for parameter in parameters]
