"""The invariants of R4 that are enforced: those of severity error on the datatypes and on the types of the services.

Each is a named pure rule; its id is the key in R4's definitions. Not here: ``ele-1`` and ``ref-1`` (the walk itself
finds them), ``txt-1`` and ``txt-2`` (``narrative``), the best practice ``dom-6``, the warning ``con-3``,
and ``ppc-2..5``, which as R4 states them never apply.
"""

from shared.fhir.definitions.table import facts
from shared.fhir.validate.invariants.care import CARE
from shared.fhir.validate.invariants.containers import CONTAINERS
from shared.fhir.validate.invariants.datatypes import DATATYPES
from shared.fhir.validate.invariants.exchange import EXCHANGE
from shared.fhir.validate.invariants.forms import FORMS
from shared.fhir.validate.invariants.rule import Invariant

INVARIANTS: tuple[Invariant, ...] = (*DATATYPES, *CONTAINERS, *CARE, *FORMS, *EXCHANGE)


def invariants_of(path: str) -> tuple[Invariant, ...]:
    """The rules of a type or nested element; those of ``DomainResource`` for every type that is one."""
    line = facts()["resources"].get(path, {})
    contexts = {path, "DomainResource"} if line.get("base") == "DomainResource" else {path}
    return tuple(rule for rule in INVARIANTS if rule.context in contexts)


__all__ = ["INVARIANTS", "Invariant", "invariants_of"]
