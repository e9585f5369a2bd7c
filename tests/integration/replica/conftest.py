"""A primary with a streaming replica, and a database of the test's own on both."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.ids import uuid7
from shared.store.embedded import embedded_postgres
from tests.conftest import create_database
from tests.eventually import eventually
from tests.factories.engine import create_tables
from tests.factories.standby import PRIMARY, Standby
from tests.integration.replica.serving import is_on


@pytest.fixture(scope="package")
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="consilium-replica-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.fixture(scope="package")
def primary(folder: Path) -> Iterator[str]:
    """The administration URL of a server that has a replica."""
    with embedded_postgres(folder / "primary", settings=PRIMARY) as url:
        yield url


@pytest.fixture(scope="package")
def shared_standby(primary: str, folder: Path) -> Iterator[Standby]:
    standby = Standby(primary, folder / "standby")
    standby.start()
    yield standby
    standby.close()


@pytest.fixture
async def url(primary: str) -> str:
    """A database of the test's own."""
    url = await create_database(primary, "t_" + uuid7().replace("-", ""))
    await create_tables(url)
    return url


@pytest.fixture
async def standby(shared_standby: Standby, url: str) -> Standby:
    """The replica, with the test's database on it."""
    await eventually(lambda: is_on(shared_standby.url(url)), within=30)
    return shared_standby
