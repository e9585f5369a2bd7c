"""``CONSILIUM_TEST_SCALE=3``: the end-to-end tests run on three processes of each kind instead of within their own."""

import os

import pytest

SCALE = int(os.environ.get("CONSILIUM_TEST_SCALE") or 0)
"""Processes of each kind; 0: whole systems in the test's process, and one of each kind in tests/e2e/apart."""


def within_the_test(reason: str) -> pytest.MarkDecorator:
    """Marks what cannot be asked of processes that all tests share, and says why."""
    return pytest.mark.skipif(bool(SCALE), reason=f"on processes of their own: {reason}")
