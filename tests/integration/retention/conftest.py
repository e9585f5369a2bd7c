"""The service that this folder's tests run: one that owns every type."""

import pytest

from shared.service import Service
from tests.factories.engine import every_type

SERVICE = every_type()


@pytest.fixture
def service() -> Service:
    return SERVICE
