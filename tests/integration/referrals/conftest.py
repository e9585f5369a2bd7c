"""The service that this folder's tests run: referrals."""

import pytest

from services.referrals.main import SERVICE
from shared.service import Service


@pytest.fixture
def service() -> Service:
    """referrals, as it is assembled in production."""
    return SERVICE
