"""The parameters of ``$apply`` and ``$propose``: the subject, and the patient's circumstances as they are told now."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from services.careplans.domain.applying.circumstances import WAITS, Circumstances, Declined
from shared.errors import Invalid, Unprocessable
from shared.fhir.http import Request, any_resource
from shared.fhir.json import Resource
from shared.fhir.parameters import parameters_in, value
from shared.fhir.search.params.reference import local

CONTEXT = ("encounter", "practitioner", "organization", "userType", "userLanguage", "userTaskContext", "setting")
"""Parameters of R4's ``$apply`` that no definition of ours asks for: taken, and not used."""
_UNUSED = frozenset({*CONTEXT, "settingContext"})
_TEXT = ("valueString", "valueCode", "valueUri", "valueCanonical", "valueId")
_LONGEST = 4_000


@dataclass(slots=True)
class Asked:
    """What was sent."""

    references: dict[str, str] = field(default_factory=dict)
    """``subject`` and, of ``$propose``, ``definition``; relative."""
    circumstances: dict[str, Any] = field(default_factory=dict)

    def reference(self, name: str, *types: str) -> str:
        """The reference ``name`` to one of ``types``. Raises ``Unprocessable`` where it is missing or another's."""
        found = self.references.get(name)
        if found is None:
            text = f"The parameter {name} is required."
            raise Unprocessable(text, code="required", expression=("Parameters.parameter",))
        target = local(found)
        if target is None or target[0] not in types:
            text = f"The parameter {name} names a resource of this server: {' or '.join(types)}, and an id."
            raise Unprocessable(text, expression=(_where(name),))
        return "/".join(target)

    def wishes(self) -> Circumstances:
        """The circumstances."""
        given = self.circumstances
        told = {name: found for name, found in given.items() if name not in ("declined", "preferred", "wait")}
        return Circumstances(
            declined=tuple(given.get("declined", ())),
            preferred=frozenset(given.get("preferred", ())),
            waits=given.get("wait", {}),
            **told,
        )


def asked_in(request: Request, references: tuple[str, ...] = ("subject",)) -> Asked:
    """What ``request`` asks for, in its query or as Parameters. Raises ``Invalid`` or ``Unprocessable``."""
    asked = Asked()
    for parameter, where in _sent(request):
        name = str(parameter.get("name"))
        if name in references:
            if name in asked.references:
                text = f"The parameter {name} comes once: a plan is applied to one patient at a time."
                raise Unprocessable(text, code="not-supported", expression=(where,))
            asked.references[name] = _reference(parameter, where)
        elif name in _READ:
            _READ[name](asked.circumstances, name, parameter, where)
        elif name not in _UNUSED:
            text = f"The parameters are: {', '.join((*references, *_READ, *sorted(_UNUSED)))}."
            raise Unprocessable(text, code="not-supported", expression=(f"{where}.name",))
    return asked


def _sent(request: Request) -> Iterator[tuple[Resource, str]]:
    for name, text in request.parameters:
        if not name.startswith("_"):
            # an error does not repeat what was sent
            yield value(name, "valueString", text), name if name in _KNOWN else "query"
    if request.method == "POST" and (request.body or request.resource is not None):
        resource = any_resource(request)
        if resource.get("resourceType") != "Parameters":
            raise Invalid("The body is not a Parameters resource.", code="structure", expression=("resourceType",))
        for number, parameter in enumerate(parameters_in(resource)):
            yield parameter, f"Parameters.parameter[{number}]"


def _reference(parameter: Resource, where: str) -> str:
    target = parameter.get("valueReference")
    found = target.get("reference") if isinstance(target, dict) else _text(parameter, where)
    if not isinstance(found, str):
        raise Invalid("This parameter has a valueReference.", code="structure", expression=(where,))
    return found


def _text(parameter: Resource, where: str) -> str:
    found = next((parameter[element] for element in _TEXT if element in parameter), None)
    if not isinstance(found, str) or not found or len(found) > _LONGEST:
        raise Invalid("This parameter has a valueString.", code="structure", expression=(where,))
    return found


def _boolean(into: dict[str, Any], name: str, parameter: Resource, where: str) -> None:
    found = parameter.get("valueBoolean", {"true": True, "false": False}.get(str(parameter.get("valueString"))))
    if not isinstance(found, bool):
        raise Invalid("This parameter has a valueBoolean.", code="structure", expression=(where,))
    into[name] = found


def _string(into: dict[str, Any], name: str, parameter: Resource, where: str) -> None:
    into[name] = _text(parameter, where)


def _code(into: dict[str, Any], name: str, parameter: Resource, where: str) -> None:
    into.setdefault(name, []).append(_text(parameter, where))


def _declined(into: dict[str, Any], name: str, parameter: Resource, where: str) -> None:
    """A code alone, or the parts ``treatment`` and ``reason``."""
    if "part" not in parameter:
        entry = Declined(_text(parameter, where))
    else:
        found = _parts(parameter, where)
        treatment = found.get("treatment")
        if treatment is None:
            raise Unprocessable("Say which treatment.", code="required", expression=(f"{where}.part",))
        reason = found.get("reason")
        entry = Declined(_text(treatment, where), "" if reason is None else _text(reason, where))
    into.setdefault(name, []).append(entry)


def _wait(into: dict[str, Any], name: str, parameter: Resource, where: str) -> None:
    """The parts ``discipline`` and ``days``."""
    found = _parts(parameter, where)
    discipline = _text(found.get("discipline", {}), where)
    days = next((v for k, v in found.get("days", {}).items() if k in ("valueInteger", "valueUnsignedInt")), None)
    if discipline not in WAITS or isinstance(days, bool) or not isinstance(days, int) or not 0 <= days <= 3650:
        text = f"A wait has a discipline ({', '.join(WAITS)}) and days (valueInteger)."
        raise Unprocessable(text, expression=(where,))
    into.setdefault(name, {})[discipline] = days


def _parts(parameter: Resource, where: str) -> dict[str, Resource]:
    listed = parameter.get("part")
    if not isinstance(listed, list) or not all(isinstance(each, dict) for each in listed):
        raise Invalid("This parameter has parts.", code="structure", expression=(where,))
    return {str(each.get("name")): each for each in listed}


def _where(name: str) -> str:
    return f"Parameters.parameter.where(name='{name}')"


_READ: Mapping[str, Callable[[dict[str, Any], str, Resource, str], None]] = {
    "declined": _declined,
    "preferred": _code,
    "telehealth": _boolean,
    "groups": _boolean,
    "language": _string,
    "times": _string,
    "matters": _string,
    "wait": _wait,
}
_KNOWN = frozenset({"subject", "definition", *_READ, *_UNUSED})
