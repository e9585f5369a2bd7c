"""Where links in messages lead."""

import pytest

from services.notifications.settings import NotificationSettings


@pytest.mark.parametrize(
    ("variables", "links_to"),
    [
        ({}, "http://127.0.0.1:8080"),
        ({"CONSILIUM_PORT": "9090"}, "http://127.0.0.1:9090"),
        ({"CONSILIUM_PORT": "9090", "CONSILIUM_PUBLIC_URL": "https://care.example"}, "https://care.example"),
    ],
)
def test_links_lead_to_this_port_unless_somewhere_else_is_named(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], links_to: str
) -> None:
    for name in ("CONSILIUM_PORT", "CONSILIUM_PUBLIC_URL"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert NotificationSettings().links_to == links_to
