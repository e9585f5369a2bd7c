"""What else is talked to: the telemetry collector, the mail server, and our own processes with their versions."""

import asyncio
import os
import ssl
from collections.abc import Mapping
from importlib.metadata import version
from urllib.parse import urlsplit

import httpx
import msgspec

from shared.doctor.finding import Finding, failure, ok, warning
from shared.telemetry.failures import class_of

WAITING = 3.0
PORTS = {"smtp": 25, "smtp+starttls": 587, "smtps": 465, "http": 4318, "https": 443}


class _Software(msgspec.Struct):
    version: str


class _Capabilities(msgspec.Struct):
    software: _Software


async def collector() -> list[Finding]:
    """The OTLP endpoint, where one is set."""
    url = os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT")
    if not url:
        return [ok("telemetry", "goes nowhere: OTEL_EXPORTER_OTLP_ENDPOINT is not set")]
    do = "Is the collector up, and OTEL_EXPORTER_OTLP_ENDPOINT right? All else works on without it."
    try:
        _, writer = await _opened(url)
    except (OSError, TimeoutError, ValueError) as error:
        return [warning("telemetry", f"the collector cannot be reached ({class_of(error)})", do)]
    writer.close()
    return [ok("telemetry", "the collector listens")]


async def mail() -> list[Finding]:
    """The mail server, where one is set (notifications reads the same variable)."""
    url = os.environ.get("CONSILIUM_SMTP_URL")
    if not url:
        return [ok("mail", "none is sent: CONSILIUM_SMTP_URL is not set")]
    do = "Is the mail server up, and CONSILIUM_SMTP_URL right? E-mails wait and are tried again meanwhile."
    try:
        reader, writer = await _opened(url)
        try:
            async with asyncio.timeout(WAITING):
                greeting = await reader.readline()
        finally:
            writer.close()
    except (OSError, TimeoutError, ValueError) as error:
        return [failure("mail", f"the server cannot be reached ({class_of(error)})", do)]
    if not greeting.startswith(b"220"):
        return [failure("mail", "what listens there is no mail server, or refuses us", do)]
    return [ok("mail", "the server greets")]


async def processes(urls: Mapping[str, str]) -> list[Finding]:
    """Our own processes at ``urls`` (by name): ready, and of this version."""
    async with httpx.AsyncClient(timeout=WAITING, trust_env=False) as client:
        return list(await asyncio.gather(*(_process(client, name, url) for name, url in urls.items())))


async def _process(client: httpx.AsyncClient, name: str, url: str) -> Finding:
    check = f"process {name}"
    try:
        ready = await client.get(f"{url.rstrip('/')}/health/ready")
        told = await client.get(f"{url.rstrip('/')}/fhir/metadata", headers={"accept": "application/fhir+json"})
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
        return failure(check, f"it does not answer ({class_of(error)})", "Is it up? Its log says why it ended.")
    if ready.status_code != 200:
        return failure(check, f"it is not ready ({ready.status_code})", "Ask its /health/ready what is missing.")
    try:
        theirs = msgspec.json.decode(told.content, type=_Capabilities).software.version
    except msgspec.DecodeError:
        return warning(check, "it does not say its version", "Is that one of ours?")
    if theirs != version("consilium"):
        do = "During an upgrade that passes; else bring all processes to one version."
        return warning(check, "it is of another version than this command", do)
    return ok(check, f"ready, version {version('consilium')}")


async def _opened(url: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection to the host of ``url``, with TLS where its scheme says so. Raises ``ValueError`` for no URL."""
    parts = urlsplit(url)
    if not parts.hostname or parts.scheme not in PORTS:
        raise ValueError("no URL")
    secured = ssl.create_default_context() if parts.scheme in ("smtps", "https") else None
    async with asyncio.timeout(WAITING):
        return await asyncio.open_connection(parts.hostname, parts.port or PORTS[parts.scheme], ssl=secured)
