"""A running installation that archives its write-ahead log."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.factories.process import Process
from tests.ports import free_port


@pytest.fixture
def archive(data_dir: Path) -> Path:
    """Where the write-ahead log goes."""
    return data_dir.parent / "it's 100% archived"


@pytest.fixture
async def process(data_dir: Path, archive: Path) -> AsyncIterator[Process]:
    """A running installation that archives its log each second."""
    settings = {"CONSILIUM_WAL_ARCHIVE_DIR": str(archive), "CONSILIUM_WAL_ARCHIVE_SECONDS": "1"}
    process = Process(data_dir, free_port(), settings)
    try:
        await process.start()
        yield process
    finally:
        await process.close()
