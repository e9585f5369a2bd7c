"""A wait is told from enough cases, or not at all."""

import pytest

from services.referrals.domain.waiting import MINIMUM, Observed, estimate

DAY = 86_400


def test_below_the_minimum_there_is_no_number() -> None:
    few = estimate(Observed(MINIMUM - 1, 2 * DAY, 3 * DAY, waiting=2, longest=40 * DAY))
    assert (few.known, few.median_days, few.p90_days) == (False, None, None)
    assert (few.cases, few.waiting_now, few.longest_now_days) == (MINIMUM - 1, 2, 40)


def test_from_the_minimum_on_there_is() -> None:
    enough = estimate(Observed(MINIMUM, 2 * DAY, 3.14 * DAY))
    assert (enough.known, enough.basis, enough.median_days, enough.p90_days) == (True, "service", 2, 3.1)


@pytest.mark.parametrize(
    ("own", "organization", "basis", "cases", "known"),
    [
        (MINIMUM, MINIMUM * 9, "service", MINIMUM, True),
        (MINIMUM - 1, MINIMUM, "organization", MINIMUM, True),
        (MINIMUM - 1, MINIMUM - 1, "service", MINIMUM - 1, False),
        (0, 0, "service", 0, False),
    ],
)
def test_an_organizations_cases_count_where_its_services_are_too_few(
    own: int, organization: int, basis: str, cases: int, known: bool
) -> None:
    found = estimate(Observed(own, DAY, 2 * DAY, waiting=1), Observed(organization, 3 * DAY, 4 * DAY, waiting=50))
    assert (found.basis, found.cases, found.known) == (basis, cases, known)
    assert found.waiting_now == 1, "who waits is counted at the service"
