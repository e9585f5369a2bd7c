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
