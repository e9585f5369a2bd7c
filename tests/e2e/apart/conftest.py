"""One installation of real processes that the tests of this folder share; each leaves it whole."""

import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.broker import Broker
from tests.e2e.apart.size import COUNTS, DRAIN_S
from tests.e2e.conftest import clean
from tests.e2e.evidence import Evidence
from tests.e2e.referring import furnish
from tests.factories.apart import Apart, apart
from tests.factories.edge import fresh_databases
from tests.scale import SCALE


@asynccontextmanager
async def _own(postgres: str, templates: dict[str, str], own_broker: Broker) -> AsyncIterator[Apart]:
    await clean(own_broker)
    with tempfile.TemporaryDirectory(prefix="consilium-apart-") as folder:
        settings = {"CONSILIUM_DRAIN_S": str(DRAIN_S)}
        async with (
            fresh_databases(postgres, templates) as databases,
            apart(databases, own_broker.url, Path(folder), COUNTS, settings) as running,
        ):
            yield running
    await clean(own_broker)


if SCALE:

    @pytest.fixture(scope="package")
    def installation(whole: Apart) -> Apart:
        """The processes that all tests run on."""
        return whole

else:

    @pytest.fixture(scope="package")
    async def installation(postgres: str, templates: dict[str, str], own_broker: Broker) -> AsyncIterator[Apart]:
        """Processes of every kind on fresh databases and an empty broker."""
        async with _own(postgres, templates, own_broker) as running:
            yield running


@pytest.fixture(scope="package")
async def patients(installation: Apart) -> list[str]:
    """Patients that are there, and the directory."""
    return await furnish(installation, 120)


@pytest.fixture(scope="package")
async def evidence(installation: Apart) -> AsyncIterator[Evidence]:
    """What is stored."""
    found = Evidence(installation.databases, installation.amqp_url)
    yield found
    await found.close()
