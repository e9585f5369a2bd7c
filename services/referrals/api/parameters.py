"""An action and its inputs, as the Parameters of ``$perform-action`` (http://hl7.org/fhir/R4/parameters.html)."""

from collections.abc import Iterable

from services.referrals.app.commands import Asked
from services.referrals.domain.actions import Code
from services.referrals.domain.inputs import KINDS, Name
from services.referrals.domain.order_actions import ORDER_ACTIONS
from shared.errors import Invalid, Unprocessable
from shared.fhir.json import Resource
from shared.fhir.parameters import parameters_in

_ACTION = "action"
_ELEMENTS = {"string": ("valueString",), "code": ("valueCode", "valueString"), "Reference": ("valueReference",)}


def asked_in(resource: Resource) -> Asked:
    """The action on a referral. Raises ``Invalid`` for what is malformed, ``Unprocessable`` for what is not known."""
    values = _values(resource)
    code = _known(values.pop(_ACTION), (code.value for code in Code))
    given = {Name(name): value for name, value in values.items()}
    return Asked(Code(code), given, _where)


def code_in(resource: Resource) -> str:
    """The action on an order, which takes no inputs. Raises the same."""
    values = _values(resource)
    code = values.pop(_ACTION)
    for name in values:
        raise Unprocessable("An action on an order takes no inputs.", expression=(_where(name),))
    return _known(code, ORDER_ACTIONS)


def _known(code: str, codes: Iterable[str]) -> str:
    known = tuple(codes)
    if code not in known:
        raise Unprocessable(f"The actions are: {', '.join(known)}.", code="code-invalid", expression=(_where(_ACTION),))
    return code


def _where(name: str) -> str:
    return f"Parameters.parameter.where(name='{name}').value"


def _values(resource: Resource) -> dict[str, str]:
    if resource.get("resourceType") != "Parameters":
        raise Invalid("The body is not a Parameters resource.", code="structure", expression=("resourceType",))
    values: dict[str, str] = {}
    for number, parameter in enumerate(parameters_in(resource)):
        name, where = parameter.get("name"), f"Parameters.parameter[{number}]"
        if not isinstance(name, str) or name not in (_ACTION, *Name):
            text = f"The parameters are: {_ACTION}, {', '.join(Name)}."
            raise Unprocessable(text, code="not-supported", expression=(f"{where}.name",))
        if name in values:
            raise Unprocessable("This parameter comes once.", expression=(where,))
        values[name] = _value(parameter, "code" if name == _ACTION else KINDS[Name(name)].type, where)
    if _ACTION not in values:
        raise Unprocessable("The parameter action is required.", code="required", expression=("Parameters.parameter",))
    return values


def _value(parameter: Resource, type_: str, where: str) -> str:
    value = next((parameter[element] for element in _ELEMENTS[type_] if element in parameter), None)
    if type_ == "Reference" and isinstance(value, dict):
        value = value.get("reference")
    if not isinstance(value, str):
        raise Invalid(f"This parameter has a {_ELEMENTS[type_][0]}.", code="structure", expression=(f"{where}.value",))
    return value
