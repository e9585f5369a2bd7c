"""Chains and ``_has``: searches by what other resources say (http://hl7.org/fhir/R4/search.html#chaining, #has).

``subject:Patient.name=x`` goes along a reference, ``_has:Observation:patient:code=y`` against one; both may be repeated
and mixed. Each level ends in an ordinary parameter of the type that it has come to.
"""

from collections.abc import Callable

from shared.errors import Invalid
from shared.fhir.search.filters import Filter, Hop, Linked
from shared.fhir.search.parameters import Parameter, is_type, parameters_of

MOST_LEVELS = 4
"""References between the resource and what is asked of another."""
MOST_HOPS = 40
"""Types looked into by one parameter: a chain without types multiplies."""
HAS = "_has:"

Plain = Callable[[str, str, str], Filter]
"""The filter of a type, the name of one of its parameters with its modifier, and the value."""


class UnknownParameter(Invalid):
    """A type has no such parameter."""


def is_linked(name: str) -> bool:
    """Whether the parameter ``name`` leads to other resources."""
    return name.startswith(HAS) or name == "_has" or "." in name


def linked(type_: str, name: str, value: str, plain: Plain) -> Filter:
    """The filter on resources of ``type_``. Raises ``Invalid`` for what leads nowhere or too far."""
    return _Way(plain).filter(type_, name, value, 1)


class _Way:
    """The levels of one parameter in the making."""

    def __init__(self, plain: Plain) -> None:
        self._plain = plain
        self._hops = 0

    def filter(self, type_: str, name: str, value: str, level: int) -> Filter:
        """What ``name`` asks of ``type_``."""
        if not is_linked(name):
            return self._plain(type_, name, value)
        if level > MOST_LEVELS:
            raise Invalid("A chain goes over too many references.", code="too-costly")
        if name.startswith("_has"):
            return self._has(type_, name, value, level)
        return self._chain(type_, name, value, level)

    def _chain(self, type_: str, name: str, value: str, level: int) -> Filter:
        head, _, rest = name.partition(".")
        code, _, wanted = head.partition(":")
        parameter = _reference(type_, code)
        if wanted:
            if not may_refer(parameter, wanted):
                raise Invalid("A chain names a type that its reference cannot have.", code="value")
            return Linked((self._hop(wanted, parameter, rest, value, level),))
        if parameter.any_target and not parameter.resolves:
            raise Invalid("This reference may have any type: write parameter:Type.name.", code="too-costly")
        hops = []
        for target in (parameter.resolves,) if parameter.resolves else parameter.targets:
            try:
                hops.append(self._hop(target, parameter, rest, value, level))
            except UnknownParameter:
                continue
        if not hops:
            raise UnknownParameter("A chain ends in a parameter that no type there has.", code="not-supported")
        return Linked(tuple(hops))

    def _has(self, type_: str, name: str, value: str, level: int) -> Filter:
        _, source, code, rest = [*name.split(":", 3), "", "", ""][:4]
        if not rest or not is_type(source):
            raise Invalid("This is written _has:Type:reference:parameter.", code="value")
        parameter = _reference(source, code)
        if not may_refer(parameter, type_):
            raise Invalid("The reference of a _has cannot lead to this type.", code="value")
        return Linked((self._hop(source, parameter, rest, value, level),), reverse=True)

    def _hop(self, type_: str, parameter: Parameter, rest: str, value: str, level: int) -> Hop:
        self._hops += 1
        if self._hops > MOST_HOPS:
            raise Invalid("A chain without types leads to too many of them.", code="too-costly")
        return Hop(type_, parameter.key, (self.filter(type_, rest, value, level + 1),))


def may_refer(parameter: Parameter, type_: str) -> bool:
    """Whether a reference by ``parameter`` can lead to a resource of ``type_``."""
    if not is_type(type_):
        return False
    if parameter.resolves:
        return parameter.resolves == type_
    return parameter.any_target or type_ in parameter.targets


def _reference(type_: str, code: str) -> Parameter:
    parameter = parameters_of(type_).get(code)
    if parameter is None:
        raise UnknownParameter("A chain names a parameter that its type does not have.", code="not-supported")
    if parameter.kind != "reference" or not any(path.type == "Reference" for path in parameter.paths):
        raise Invalid("A chain goes over reference parameters alone.", code="value")
    return parameter
