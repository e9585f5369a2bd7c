"""The service that this folder's tests run: careplans."""

import pytest

from services.careplans.main import SERVICE
from shared.service import Service


@pytest.fixture
def service() -> Service:
    """careplans, as it is assembled in production."""
    return SERVICE
