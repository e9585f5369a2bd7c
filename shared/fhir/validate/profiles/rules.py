"""Invariants of profiles, as FHIRPath (http://hl7.org/fhir/R4/conformance-rules.html#constraints).

Evaluated by ``fhirpathpy`` (ADR 16), which is imported, and compiles an expression, when a rule is first needed. What
an expression asks for and cannot be told here (a target that is not at hand, a value set that is not listed) makes the
rule "not checked", as does an expression that the library cannot evaluate.
"""

import logging
import re
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from functools import cache
from importlib.resources import files
from typing import Any

import msgspec

from shared.fhir.validate.profiles.codes import bound
from shared.fhir.validate.profiles.items import Item
from shared.fhir.validate.profiles.table import code_set, facts, invariant
from shared.fhir.validate.profiles.visit import LARGEST_EVALUATED, Visit, type_named
from shared.fhir.validate.walk import Place

log = logging.getLogger(__name__)

_VISIT: ContextVar[Visit] = ContextVar("visit")
_TARGETS_TYPE = re.compile(r"resolve\(\)(?:\s+is\s|\.all\(\$this is )")
"""An expression that asks of a target no more than its type."""


class NotChecked(Exception):
    """The expression needs what is not at hand."""


def rule_test(name: str, path: str) -> Callable[[Item, Place, Visit], None]:
    """The check of one invariant of the table at an element whose type FHIRPath finds by ``path``."""
    key, severity, _ = invariant(name)

    def run(item: Item, place: Place, visit: Visit) -> None:
        visit.evaluations -= 1
        if visit.evaluations < 0:
            visit.not_checked("further invariants, there are too many elements with one", None)
            return
        most = min(LARGEST_EVALUATED, visit.evaluated)
        size = _size(item.value, most)
        if size >= most:
            visit.not_checked(f"{key}, there is too much to look at", place, item.label, item.nth)
            return
        visit.evaluated -= size
        try:
            holds = _holds(name, item, path, visit)
        except NotChecked as reason:
            visit.not_checked(f"{key}, {reason}", place, item.label, item.nth)
        else:
            if not holds:
                text = f"the constraint {key} does not hold."
                visit.report("invariant", text, place, item.label, item.nth, severity=severity)

    return run


def _size(value: Any, most: int) -> int:
    """How many JSON values there are in ``value``; counting ends at ``most``."""
    pending, found = [value], 0
    while pending and found < most:
        each = pending.pop()
        found += 1
        if isinstance(each, dict | list):
            pending.extend(each.values() if isinstance(each, dict) else each)
    return found


def _holds(name: str, item: Item, path: str, visit: Visit) -> bool:
    token = _VISIT.set(visit)
    try:
        node = _node(item, path)
        found = _compiled(name)(node, {"resource": visit.scope.root, "rootResource": visit.scope.root})
    except NotChecked:
        raise
    except Exception as error:  # noqa: BLE001  the library raises bare exceptions for what it cannot evaluate
        log.warning("the invariant %s could not be evaluated: %s", name, type(error).__name__)
        raise NotChecked("its expression could not be evaluated") from None
    finally:
        _VISIT.reset(token)
    return found == [True]


@cache
def _model() -> dict[str, Any]:
    """What the library knows of R4, without the other three versions that it would read."""
    folder = files("fhirpathpy") / "models" / "r4"
    names = ("choiceTypePaths", "path2Type", "pathsDefinedElsewhere", "type2Parent")
    return {name: msgspec.json.decode((folder / f"{name}.json").read_bytes()) for name in names}


def _node(item: Item, path: str) -> Any:
    from fhirpathpy.engine.nodes import (
        ResourceNode,
    )

    type_ = item.type or _model()["path2Type"].get(path, path)
    return ResourceNode.create_node(item.value, type_, item.beside)


@cache
def _compiled(name: str) -> Callable[[Any, Mapping[str, Any]], list[Any]]:
    import fhirpathpy

    expression = invariant(name)[2]
    untyped = len(_TARGETS_TYPE.findall(expression)) != expression.count("resolve()")
    functions = {
        "conformsTo": {"fn": _conforms_to, "arity": {1: ["String"]}},
        "hasValue": {"fn": _has_value, "arity": {0: []}},
        "htmlChecks": {"fn": _html_checks, "arity": {0: []}},
        "memberOf": {"fn": _member_of, "arity": {1: ["String"]}},
        "resolve": {"fn": _resolve if untyped else _resolve_type, "arity": {0: []}},
    }
    compiled: Callable[[Any, Mapping[str, Any]], list[Any]] = fhirpathpy.compile(
        expression, model=_model(), options={"userInvocationTable": functions}
    )
    return compiled


def _resolve(inputs: list[Any]) -> list[Any]:
    """The targets of References and canonical URLs that are contained or in the same Bundle."""
    scope = _VISIT.get().scope
    found = []
    for each in inputs:
        literal = each.get("reference") if isinstance(each, dict) else each
        target = scope.resolve(literal) if isinstance(literal, str) else None
        if target is None:
            raise NotChecked("what it refers to is not at hand")
        found.append(_target(target))
    return found


def _resolve_type(inputs: list[Any]) -> list[Any]:
    """The same where only the types of the targets are asked for: a reference tells its own."""
    scope = _VISIT.get().scope
    types = [type_named(each, scope) if isinstance(each, dict) else None for each in inputs]
    if None in types:
        raise NotChecked("the type of what it refers to is not known")
    return [_target({"resourceType": type_}) for type_ in types]


def _target(resource: Any) -> Any:
    from fhirpathpy.engine.nodes import ResourceNode

    return ResourceNode.create_node(resource, resource["resourceType"])


def _member_of(inputs: list[Any], url: str) -> list[Any]:
    """Whether one of the codes is in the value set."""
    name = url.partition("|")[0]
    if name not in facts()["codes"]:
        raise NotChecked("its value set is not known here")
    answers = [bound(code_set(name), Item(each, None, "", "", -1)) for each in inputs]
    if True not in answers and None in answers:
        raise NotChecked("its value set is not listed here")
    return [True in answers] if inputs else []


def _conforms_to(inputs: list[Any], url: str) -> list[Any]:
    raise NotChecked("it asks for another profile")


def _has_value(inputs: list[Any]) -> list[Any]:
    return [len(inputs) == 1 and inputs[0] is not None and not isinstance(inputs[0], dict | list)]


def _html_checks(inputs: list[Any]) -> list[Any]:
    """True: the narrative was judged by ``shared.fhir.validate.narrative`` before any profile."""
    return [True]
