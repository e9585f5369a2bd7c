"""Settings come from the environment, prefix ``CONSILIUM_``; every settings class of ours stands on this one."""

import re
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


def web_address(url: str | None) -> str | None:
    """``url``. Raises ``ValueError``, which does not repeat it, where it is none of http or https with a host."""
    try:
        parts = urlsplit(url or "http://none")
        well = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        # its own text repeats a port that is none
        well = False
    if not well:
        raise ValueError("a URL looks like https://host or http://host:8080/path")
    return url


class ConsiliumSettings(BaseSettings):
    """The base: one prefix, an empty variable counts as unset, values never appear in error texts."""

    model_config = SettingsConfigDict(
        env_prefix="CONSILIUM_", env_ignore_empty=True, extra="ignore", frozen=True, hide_input_in_errors=True
    )

    data_dir: Path = Path(".consilium")
    """The embedded PostgreSQL, keys and other files of this installation."""


HOST = re.compile(r"(\[[^]]*\]|[^:[\]]*)(:[0-9]*)?")
"""A host with its port, as one of several in PostgreSQL's URLs; what a password's slash leaves is none."""
TYPE = re.compile(r"[A-Z][A-Za-z]+")
"""A resource type's name."""
AMQP_BETWEEN = re.compile(r"[,\s]+(?=amqps?://)")
"""What stands between the URLs of several brokers."""


class ServerSettings(ConsiliumSettings):
    """Where a process listens and what it stands on."""

    host: str = "127.0.0.1"
    """The address to listen on; ``0.0.0.0`` for all."""
    port: int = Field(default=8080, ge=0, le=65535)
    """The port to listen on."""
    workers: int = Field(default=1, ge=1, le=64)
    """API processes behind the one port."""
    database_url: str | None = None
    """An administrative ``postgresql://`` URL; without one the embedded PostgreSQL serves."""
    database_read_url: str | None = None
    """Read replicas for searches, in the form of ``database_url``; without one the primary answers them."""
    read_max_lag_s: float = Field(default=5.0, ge=0.5, le=3600)
    """Seconds that a replica's answer may be behind; a replica that is further behind is not asked."""
    amqp_url: str | None = None
    """RabbitMQ, or the nodes of its cluster with commas between; without one messages travel by the in-process
    transport."""
    public_url: str | None = None
    """Where people reach this installation: links in messages lead there, and references below it are to resources
    here, whatever a request's Host."""
    max_bundle_entries: int = Field(default=20_000, gt=0)
    """The most entries of a batch or transaction: each costs time and memory, however small it is."""
    if_match_types: str | None = None
    """Resource types, with commas between, of which a person's update or patch needs If-Match (428 without it);
    ``none`` for no type. Unset: CarePlan, ServiceRequest, Task. Back ends are never asked for it."""
    conditional_delete: Literal["single", "multiple"] = "single"
    """What `DELETE Type?criteria` does where several match: refuse (412), or delete them all, up to 1,000."""
    trust_forwarded: bool = False
    """Believe ``X-Forwarded-Proto`` and ``-Host``: behind a proxy, or behind our gateway, that sets them."""

    @property
    def public_base(self) -> str | None:
        """The FHIR base below ``public_url``."""
        return None if self.public_url is None else f"{self.public_url.rstrip('/')}/fhir"

    @property
    def types_guarded(self) -> frozenset[str] | None:
        """The types in ``if_match_types``; None where it is unset."""
        if self.if_match_types is None:
            return None
        return frozenset(name.strip() for name in self.if_match_types.split(",")) - {"none"}

    @field_validator("if_match_types")
    @classmethod
    def _names_types(cls, names: str | None) -> str | None:
        if names is not None and names.strip() != "none":
            for name in names.split(","):
                if not TYPE.fullmatch(name.strip()):
                    raise ValueError("types look like CarePlan,Task; none stands alone")
        return names

    @field_validator("database_url", "database_read_url")
    @classmethod
    def _names_a_database(cls, url: str | None) -> str | None:
        try:
            parts = urlsplit(url or "postgresql:")
            hosts = parts.netloc.rpartition("@")[2].split(",")
            well = parts.scheme in ("postgresql", "postgres") and all(map(HOST.fullmatch, hosts))
        except ValueError:
            well = False
        if not well:
            raise ValueError("a URL looks like postgresql://user:password@host:5432/name; %2F is a / in a password")
        return url

    @field_validator("public_url")
    @classmethod
    def _names_a_place(cls, url: str | None) -> str | None:
        return web_address(url)

    @field_validator("amqp_url")
    @classmethod
    def _names_a_broker(cls, urls: str | None) -> str | None:
        try:
            nodes = [urlsplit(url) for url in AMQP_BETWEEN.split(urls)] if urls else []
            well = all(node.scheme in ("amqp", "amqps") and bool(node.hostname) and node.port != 0 for node in nodes)
        except ValueError:
            # its own text repeats a port that is none
            well = False
        if not well:
            raise ValueError("a URL looks like amqp://user:password@host:5672/")
        return urls
