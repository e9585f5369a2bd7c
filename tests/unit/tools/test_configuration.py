"""The configuration reference is that of the code: up to date, complete, with a meaning for each variable."""

import pytest

from shared.doctor.known import KNOWN
from shared.settings import ConsiliumSettings
from tools.configuration import KNOWN as KNOWN_FILE
from tools.configuration import PAGE, classes, known, meanings, own_fields, page, variable


def test_the_page_and_the_list_are_up_to_date() -> None:
    assert PAGE.read_text() == page(), "run: python -m tools.configuration"
    assert KNOWN_FILE.read_text() == known(), "run: python -m tools.configuration"


@pytest.mark.parametrize("settings", classes(), ids=lambda settings: settings.__name__)
def test_every_field_has_a_meaning(settings: type[ConsiliumSettings]) -> None:
    assert own_fields(settings).keys() <= meanings(settings).keys()


def test_every_variable_of_every_class_is_on_the_page_and_known() -> None:
    text = PAGE.read_text()
    names = {variable(name) for settings in classes() for name in settings.model_fields}
    assert [name for name in sorted(names) if f"| `{name}` |" not in text] == []
    assert names == set(KNOWN)


def test_a_default_that_is_made_is_told_like_one_that_is_given() -> None:
    text = page()
    assert "PydanticUndefined" not in text
    assert "| `CONSILIUM_PEER_URLS` | JSON | `{}` |" in text


def test_no_variable_stands_twice() -> None:
    named = [variable(name) for settings in classes() for name in own_fields(settings)]
    assert sorted(named) == sorted(set(named))


def test_what_may_hold_a_password_is_marked() -> None:
    rows = {line.split("`")[1]: line for line in PAGE.read_text().splitlines() if line.startswith("| `CONSILIUM_")}
    secret = {name for name, line in rows.items() if "**Secret.**" in line}
    assert {"CONSILIUM_DATABASE_URL", "CONSILIUM_AMQP_URL", "CONSILIUM_SMTP_URL"} <= secret
    assert "CONSILIUM_PORT" not in secret
