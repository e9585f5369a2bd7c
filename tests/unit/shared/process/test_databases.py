"""Which database belongs to which service."""

import pytest

from shared.process.databases import database_urls, template

EMBEDDED = "postgresql://postgres:@/postgres?host=/data/postgres"


@pytest.mark.parametrize(
    ("url", "base", "expected"),
    [
        ("postgresql://u:p@db:5432/care", None, "postgresql://u:p@db:5432/care_referrals"),
        ("postgresql://u:p@db:5432", None, "postgresql://u:p@db:5432/consilium_referrals"),
        ("postgresql://u@db/{service}_x?sslmode=require", None, "postgresql://u@db/referrals_x?sslmode=require"),
        ("postgresql://u@{service}.db/consilium", None, "postgresql://u@referrals.db/consilium"),
        (EMBEDDED, "consilium", "postgresql://postgres:@/consilium_referrals?host=/data/postgres"),
    ],
)
def test_each_service_has_its_own(url: str, base: str | None, expected: str) -> None:
    assert database_urls(url, ["referrals"], base=base) == {"referrals": expected}
    assert database_urls(template(url, base=base), ["referrals"]) == {"referrals": expected}
