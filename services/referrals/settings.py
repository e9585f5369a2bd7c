"""What an operator sets for referrals, from the environment (prefix ``CONSILIUM_``)."""

from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, ValidationInfo, field_validator

from services.referrals.partners.known import has_credentials, partners_in
from shared.settings import ConsiliumSettings, ServerSettings

if TYPE_CHECKING:
    from holidays import HolidayBase


class PlaceSettings(ConsiliumSettings):
    """Where the network works: the clocks of referrals count its business days."""

    time_zone: str = "UTC"
    """The IANA time zone in which a day begins and ends (``Europe/Berlin``)."""
    holidays: str | None = Field(default=None, pattern=r"^[A-Z]{2}(-[A-Z0-9]{1,3})?$")
    """Whose public holidays are no business days: a country (``DE``), or a part of it (``US-CA``), in ISO 3166 codes;
    without one, only Saturdays and Sundays are none."""

    @field_validator("time_zone")
    @classmethod
    def _is_a_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError("a time zone is named as in the IANA database, like Europe/Berlin") from None
        return name

    @field_validator("holidays")
    @classmethod
    def _has_holidays(cls, place: str | None) -> str | None:
        if place is not None:
            holidays_of(place)
        return place


class ExchangeSettings(ServerSettings):
    """Which other systems referrals are carried on with; needs ``CONSILIUM_PUBLIC_URL``."""

    exchange_allow_http: bool = False
    """Plain http to a partner: for development only."""
    exchange_allow_private: bool = False
    """Partners on loopback, private and link-local addresses: for development, or inside one trusted network."""
    exchange_timeout: float = Field(default=10.0, gt=0, le=30)
    """Seconds for one step of a request to a partner."""
    partners_file: Path | None = None
    """A JSON file: the FHIR base of each partner, and what we show it (docs/interop.md). Without one, no referral
    leaves this installation."""

    @field_validator("partners_file")
    @classmethod
    def _names_partners(cls, path: Path | None, others: ValidationInfo) -> Path | None:
        if path is not None:
            found = partners_in(path)
            if any(base.startswith("http:") for base in found) and not others.data.get("exchange_allow_http"):
                raise ValueError("a partner is at plain http, which CONSILIUM_EXCHANGE_ALLOW_HTTP has to allow")
            if not has_credentials(found):
                raise ValueError("the partners' file names a key_file or a token_file that cannot be read")
            if not others.data.get("public_url"):
                raise ValueError("CONSILIUM_PUBLIC_URL must be set as well: by it partners know a referral again")
        return path


def holidays_of(place: str) -> "HolidayBase":
    """The public holidays of ``DE`` or ``US-CA``. Raises ``ValueError`` for a place that is not known."""
    import holidays  # 40 ms, for those who name a place

    country, _, part = place.partition("-")
    try:
        return holidays.country_holidays(country, subdiv=part or None)
    except NotImplementedError:
        raise ValueError("no holidays are known of this country or part of it") from None
