"""Bad input to the REST APIs: a problem, and nothing stored."""

import pytest

from tests.e2e.bad_input.refusals import DEEP, refused
from tests.factories.edge import Edge

REST = {"content-type": "application/json"}


@pytest.mark.parametrize(
    ("method", "url", "status", "body"),
    [
        ("POST", "/api/plans", 400, b"{"),
        ("POST", "/api/plans", {400, 422}, b""),
        ("POST", "/api/plans", {400, 422}, DEEP),
        ("POST", "/api/plans", {400, 422}, b'{"patient":"\xff"}'),
        ("POST", "/api/plans", 422, b"[]"),
        ("POST", "/api/plans", 422, b"{}"),
        ("POST", "/api/plans", 422, b'{"patient":7}'),
        ("POST", "/api/plans", 422, b'{"patient":"Patient/a\\u0000"}'),
        ("POST", "/api/plans", 422, b'{"patient":"Patient/\\ud800"}'),
        ("POST", "/api/plans", 422, b'{"patient":"Patient/absent"}'),
        ("GET", "/api/plans", 422, None),
        ("GET", "/api/plans?patient=%00", 422, None),
        ("GET", "/api/plans/absent", 404, None),
        ("GET", "/api/plans/%00", 422, None),
        ("GET", "/api/referrals/absent", 404, None),
        ("GET", "/api/referrals?limit=0", 422, None),
        ("GET", "/api/referrals?limit=x", 422, None),
        ("GET", "/api/referrals?status=B%00gus", 422, None),
        ("GET", "/api/referrals?cursor=nonsense", 400, None),
        ("GET", "/api/referrals?cursor=%00", 400, None),
        ("POST", "/api/referrals/absent/actions/accept", 404, b"{}"),
        ("POST", "/api/referrals/absent/actions/accept", 422, b'{"nonsense":1}'),
        ("POST", "/api/referrals/absent/actions/decline", 422, b'{"reason":7}'),
        ("POST", "/api/referrals/absent/actions/decline", 422, b'{"reason":"\\ud800"}'),
        ("POST", "/api/referrals/absent/actions/nonsense", 422, b"{}"),
        ("POST", "/api/referrals/absent/notes", 404, b'{"text":"x"}'),
        ("POST", "/api/referrals/absent/notes", {400, 422}, b""),
        ("POST", "/api/referrals/absent/notes", 422, b'{"text":" "}'),
        ("POST", "/api/referrals/absent/notes", 422, b'{"text":"\\ud800"}'),
        ("POST", "/api/referrals/%00/notes", 422, b'{"text":"x"}'),
        ("GET", "/api/referrals/absent/notes", 404, None),
        ("POST", "/api/referrals/bulk", {400, 422}, DEEP),
        ("POST", "/api/referrals/bulk", 422, b"{}"),
        ("POST", "/api/referrals/bulk", 422, b'{"action":"assign","items":[]}'),
        ("POST", "/api/referrals/bulk", 422, b'{"action":"assign","items":[{"task":"t\\u0000","version":1}]}'),
        ("POST", "/api/referrals/bulk", 422, b'{"action":"assign","items":[{"task":"t","version":1e400}]}'),
        ("GET", "/api/referrals/bulk", 404, None),
        ("GET", "/api/referrals?filter=absent", 404, None),
        ("GET", "/api/referrals?filter=%00", 422, None),
        ("GET", "/api/referrals/filters/absent", 404, None),
        ("DELETE", "/api/referrals/filters/absent", 404, None),
        ("PUT", "/api/referrals/filters/%00", 422, b"{}"),
        ("PUT", "/api/referrals/filters/mine", {400, 422}, b""),
        ("PUT", "/api/referrals/filters/mine", 422, b'{"patient":"Patient/a\\u0000"}'),
        ("PUT", "/api/referrals/filters/mine", 422, b'{"list":7}'),
        ("PUT", "/api/notifications/preferences", 422, b"{}"),
        ("GET", "/api/notifications/messages?before=x", 422, None),
        ("GET", "/api/notifications/messages?before=99999999999999999999", 422, None),
        ("DELETE", "/api/notifications/preferences", 422, None),
    ],
)
async def test_rest_refuses_with_a_problem(
    quiet: Edge, method: str, url: str, status: int | set[int], body: bytes | None
) -> None:
    await refused(quiet, method, url, status, content=body, headers=REST)


@pytest.mark.parametrize("key", ["", '"', '"a', "a b", 129 * "x", 'a\\"b'])
@pytest.mark.parametrize(
    ("url", "body"),
    [
        ("/api/referrals/absent/actions/accept", b"{}"),
        ("/api/referrals/absent/notes", b'{"text":"x"}'),
        ("/api/referrals/bulk", b'{"action":"accept","items":[{"task":"absent","version":1}]}'),
    ],
)
async def test_a_malformed_key_is_a_problem_wherever_one_is_taken(quiet: Edge, url: str, body: bytes, key: str) -> None:
    answer = await refused(quiet, "POST", url, 400, content=body, headers={**REST, "idempotency-key": key})
    assert answer.json()["issues"][0]["expression"] == ["header.idempotency-key"]


async def test_what_is_refused_leaves_no_key(quiet: Edge) -> None:
    headers = {**REST, "idempotency-key": "k"}
    for url in ("/api/referrals/absent/actions/accept", "/api/referrals/absent/notes"):
        body = b'{"text":"x"}' if url.endswith("notes") else b"{}"
        await refused(quiet, "POST", url, 404, content=body, headers=headers)
