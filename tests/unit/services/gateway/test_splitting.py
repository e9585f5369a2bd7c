"""Lines and their owners, and what each service gets."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.gateway.routing import CAREPLANS, NOTIFICATIONS, REFERRALS
from services.gateway.splitting import Split, owner_of_line

SERVICES = (REFERRALS, CAREPLANS, NOTIFICATIONS)
LINES = {
    REFERRALS: b'{"resourceType":"Task","id":"t"}',
    CAREPLANS: b'{"resourceType":"Patient","id":"p"}',
    NOTIFICATIONS: b'{"resourceType":"Communication","id":"c"}',
}


@pytest.mark.parametrize(
    ("line", "owner"),
    [
        *((line, owner) for owner, line in LINES.items()),
        (b'{"id": 7, "x": [{}], "resourceType": "Task"}', REFERRALS),
        (b'{"resourceType":"Provenance","target":[{"reference":"Task/t"}]}', REFERRALS),
        (b'{"resourceType":"Provenance","target":[{"reference":"Communication/c/_history/1"}]}', NOTIFICATIONS),
        (b'{"resourceType":"Provenance","id":"referrals.1","target":[{"reference":"Patient/p"}]}', REFERRALS),
        (b'{"resourceType":"Provenance","id":{},"target":7}', CAREPLANS),
        (b'{"resourceType":"Provenance"}', CAREPLANS),
        (b'{"resourceType":"Provenance","target":[' + b"{}," * 200_000 + b"{}]}", CAREPLANS),
        (b'{"resourceType":"Nonsense"}', CAREPLANS),
        (b'{"resourceType":7}', CAREPLANS),
        (b"{}", CAREPLANS),
        (b"[]", CAREPLANS),
        (b"{", CAREPLANS),
        (b"\xff", CAREPLANS),
        (b'{"x":' + b"[" * 100_000, CAREPLANS),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_whose_a_line_is(line: bytes, owner: str) -> None:
    assert owner_of_line(line) == owner


@given(st.lists(st.one_of(st.sampled_from([*LINES.values(), b"", b" \t"]), st.none()), max_size=30))
def test_a_line_has_one_owner_and_the_same_number_there(steps: list[bytes | None]) -> None:
    """``None``: what has come is taken."""
    split = Split(SERVICES)
    parts = dict.fromkeys(SERVICES, b"")
    for step in (*steps, None):
        if step is not None:
            split.add(step)
            continue
        assert split.size == 0 or split.lines > 0
        for name, taken in split.take().items():
            parts[name] += taken
        assert (split.lines, split.size) == (0, 0)
    sent = [step for step in steps if step is not None]
    owned = {line: name for name, line in LINES.items()}
    for name, part in parts.items():
        assert part.split(b"\n") == ([line if owned.get(line) == name else b"" for line in sent] or [b""])
        assert len(part) <= len(b"\n".join(sent))
