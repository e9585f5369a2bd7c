"""The partners' file: which systems referrals may go to, and what we show them. Nothing goes anywhere else."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

from services.referrals.domain.exchange_package import Terms
from shared.settings import web_address

_REFERENCE = r"^[A-Z][A-Za-z]+/[A-Za-z0-9\-.]{1,64}$"


class Partner(BaseModel):
    """One system, under its FHIR base."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    requester: str | None = Field(default=None, pattern=_REFERENCE)
    """By which reference, of theirs, they know us; without one an identifier says who asks."""
    recipient: str | None = Field(default=None, pattern=_REFERENCE)
    """Who gets what is sent there, by a reference of theirs; without one an identifier says whom we mean."""
    patient: Literal["identifier", "contained"] = "identifier"
    """Whether an identifier alone says for whom it is, or a minimal Patient (name, birth date, gender) goes along."""
    token_file: Path | None = None
    """A file with a bearer token, which may be replaced at any time."""
    token_url: str | None = None
    """SMART Backend Services: where tokens are had. With ``client_id`` and ``key_file``."""
    client_id: str | None = None
    key_file: Path | None = None
    """Our private key, in PEM."""
    key_id: str | None = None
    """Under which ``kid`` they know its public half."""
    scope: str = "system/Task.cru system/ServiceRequest.cru"

    @model_validator(mode="after")
    def _shows_one_thing(self) -> Self:
        backend = [self.token_url, self.client_id, self.key_file]
        if any(backend) and not all(backend):
            raise ValueError("token_url, client_id and key_file go together")
        if self.token_url and self.token_file:
            raise ValueError("either token_file or token_url")
        web_address(self.token_url)
        return self

    def terms(self, base: str, address: str) -> Terms:
        """What both sides know of each other; ``base`` is ours, ``address`` theirs."""
        return Terms(base, address, self.requester, self.recipient, self.patient == "contained")


Partners = Mapping[str, Partner]
"""By FHIR base, without a slash at its end."""
_FILE = TypeAdapter(dict[str, Partner])


def partners_in(path: Path) -> Partners:
    """What the file says. Raises ``ValueError``, which repeats nothing of it."""
    try:
        found = _FILE.validate_python(json.loads(path.read_bytes()))
        for base in found:
            web_address(base)
    except OSError:
        raise ValueError("the partners' file cannot be read") from None
    except ValidationError as error:
        problem = error.errors(include_input=False, include_url=False)[0]
        told = problem["msg"].removeprefix("Value error, ")
        raise ValueError(f"the partners' file (docs/interop.md) does not hold: {told}") from None
    except ValueError:
        raise ValueError("the partners' file is JSON with a FHIR base, http or https, for each partner") from None
    return {base.rstrip("/"): partner for base, partner in found.items()}


def has_credentials(partners: Partners) -> bool:
    """Whether all files that are named can be read."""
    named = (path for partner in partners.values() for path in (partner.key_file, partner.token_file))
    return all(os.access(path, os.R_OK) for path in named if path is not None)
