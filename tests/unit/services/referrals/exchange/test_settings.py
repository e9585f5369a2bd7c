"""What an operator sets for the exchange holds before anything starts."""

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from services.referrals.settings import ExchangeSettings

HTTPS, HTTP = "https://partner.example/fhir", "http://partner.example/fhir"


@pytest.mark.parametrize(
    ("base", "partner", "environment", "told"),
    [
        (HTTPS, {}, {}, None),
        (HTTP, {}, {"CONSILIUM_EXCHANGE_ALLOW_HTTP": "true"}, None),
        (HTTP, {}, {}, "CONSILIUM_EXCHANGE_ALLOW_HTTP"),
        (HTTPS, {}, {"CONSILIUM_PUBLIC_URL": ""}, "CONSILIUM_PUBLIC_URL"),
        (HTTPS, {"token_file": "/nowhere/token"}, {}, "cannot be read"),
        (
            HTTPS,
            {"token_url": "https://partner.example/token", "client_id": "us", "key_file": "/nowhere/key.pem"},
            {},
            "cannot be read",
        ),
    ],
)
def test_partners_that_could_not_be_reached_are_told_at_the_start(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    base: str,
    partner: dict[str, Any],
    environment: dict[str, str],
    told: str | None,
) -> None:
    (tmp_path / "partners.json").write_text(json.dumps({base: partner}))
    monkeypatch.setenv("CONSILIUM_PARTNERS_FILE", str(tmp_path / "partners.json"))
    for name, value in ({"CONSILIUM_PUBLIC_URL": "https://we.example"} | environment).items():
        monkeypatch.setenv(name, value)
    if told is None:
        assert ExchangeSettings().partners_file == tmp_path / "partners.json"
    else:
        with pytest.raises(ValidationError, match=told):
            ExchangeSettings()
