"""What a patient may write here: messages of their own, about nobody else."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shared.errors import Forbidden
from shared.security.caller import Caller


@dataclass(frozen=True, slots=True)
class Own:
    """Elements of a type that name the patient who writes it: ``author`` always, ``subject`` where it is given."""

    author: str
    subject: str = "subject"


OWN = {"Communication": Own("sender"), "CommunicationRequest": Own("requester")}


def require_own(caller: Caller, *versions: Mapping[str, Any] | None) -> None:
    """Raises ``Forbidden`` with the element that names somebody else in one of ``versions``."""
    for version in versions:
        if version is None:
            continue
        own = OWN[version["resourceType"]]
        for element in (own.author, own.subject):
            if element == own.subject and element not in version:
                continue
            if caller.fhir_user is None or (version.get(element) or {}).get("reference") != caller.fhir_user:
                path = f"{version['resourceType']}.{element}"
                raise Forbidden("A patient writes messages of their own, about themselves.", expression=(path,))
