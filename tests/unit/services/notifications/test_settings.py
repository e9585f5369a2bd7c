"""Where links in messages lead, and which mail servers can be named."""

import pytest
from pydantic import ValidationError

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


@pytest.mark.parametrize("url", ["smtp://mail", "smtp+starttls://u:p@mail:587", "smtps://[::1]:465"])
def test_a_mail_server_can_be_named(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("CONSILIUM_SMTP_URL", url)
    assert NotificationSettings().smtp_url


@pytest.mark.parametrize(
    "url",
    [
        "http://user:s3cret@mail",
        "s3cret",
        "smtp://",
        "smtp://user:s3cret@",
        "smtp://mail:s3cret",
        "smtp://mail:0",
        "smtp://[s3cret",
    ],
)
def test_what_names_no_mail_server_is_refused_and_not_repeated(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("CONSILIUM_SMTP_URL", url)
    with pytest.raises(ValidationError, match="looks like smtp://") as caught:
        NotificationSettings()
    assert "s3cret" not in str(caught.value)
