"""The service that this folder's tests run: notifications; a mail server and a webhook receiver, real, on loopback."""

from collections.abc import AsyncIterator

import pytest

from services.notifications.main import SERVICE
from shared.service import Service
from tests.integration.notifications.receivers import HookServer, MailServer


@pytest.fixture
def service() -> Service:
    """notifications, as it is assembled in production."""
    return SERVICE


@pytest.fixture
async def mail() -> AsyncIterator[MailServer]:
    """A mail server that keeps what it gets."""
    async with MailServer() as server:
        yield server


@pytest.fixture
async def hook() -> AsyncIterator[HookServer]:
    """A webhook receiver that keeps what it gets."""
    async with HookServer() as server:
        yield server
