"""Referrals that may be the same: shown with what is the same about them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.referrals.domain.similar import Earlier, Return, duplicates, returns
from services.referrals.domain.specialty import Specialty
from services.referrals.domain.ties import Party, Tie

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
PAIN = frozenset({("urn:icd", "F45.41")})
PSYCHOLOGY, PSYCHIATRY = frozenset({Specialty.PSYCHOLOGY}), frozenset({Specialty.PSYCHIATRY})
EARLIER = Earlier("Task/t1", "accepted", NOW - timedelta(days=3), PSYCHOLOGY, PAIN, "Practitioner/a", "Practitioner/b")


def found(
    earlier: Earlier, specialties: Any = PSYCHOLOGY, reasons: Any = PAIN, **more: Any
) -> list[tuple[str, str, bool]]:
    told = duplicates([earlier], specialties, reasons, now=NOW, **more)
    return [(each.same, each.reason, each.open) for each in told]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, [("specialty", "same", True)]),
        ({"specialties": PSYCHIATRY}, [("discipline", "same", True)]),
        ({"specialties": frozenset({Specialty.PAIN_MEDICINE})}, []),
        ({"specialties": frozenset()}, []),
        ({"reasons": frozenset()}, [("specialty", "unknown", True)]),
        ({"reasons": frozenset({("urn:icd", "M54")})}, []),
        ({"sent": NOW - timedelta(days=400)}, [("specialty", "same", True)]),
        ({"status": "completed"}, [("specialty", "same", False)]),
        ({"status": "completed", "sent": NOW - timedelta(days=91)}, []),
        ({"status": "completed", "sent": NOW - timedelta(days=90)}, [("specialty", "same", False)]),
        *(({"status": status}, []) for status in ("draft", "rejected", "cancelled", "failed", "entered-in-error")),
    ],
)
def test_open_and_recent_referrals_for_the_same_are_duplicates(change: dict[str, Any], expected: list[Any]) -> None:
    assert found(replace(EARLIER, **change)) == expected


def test_specialties_without_a_discipline_are_compared_by_themselves() -> None:
    massage = replace(EARLIER, specialties=frozenset({Specialty.COMPLEMENTARY}))
    assert found(massage, frozenset({Specialty.PEER_SUPPORT})) == []
    assert found(massage, frozenset({Specialty.COMPLEMENTARY})) == [("specialty", "same", True)]


def test_how_recent_is_asked() -> None:
    done = replace(EARLIER, status="completed", sent=NOW - timedelta(days=10))
    assert found(done, days=10) == [("specialty", "same", False)]
    assert found(done, days=9) == []


def test_a_referral_is_no_duplicate_of_itself_and_the_latest_comes_first() -> None:
    later = replace(EARLIER, task="Task/t2", sent=NOW)
    told = duplicates([EARLIER, later], PSYCHOLOGY, PAIN, now=NOW)
    assert [each.task for each in told] == ["Task/t2", "Task/t1"]
    assert found(EARLIER, beside=frozenset({"Task/t1"})) == []


def test_an_open_referral_the_other_way_is_a_return() -> None:
    a, b, c = (Party(frozenset({f"Practitioner/{each}"})) for each in "abc")
    assert returns([(EARLIER, a, b)], b, a, beside=frozenset()) == (Return("Task/t1", Tie.SAME),)
    assert returns([(EARLIER, a, b)], b, c, beside=frozenset()) == ()
    assert returns([(EARLIER, a, b)], c, a, beside=frozenset()) == ()
    assert returns([(EARLIER, a, b)], b, a, beside=frozenset({"Task/t1"})) == ()
    assert returns([(replace(EARLIER, status="completed"), a, b)], b, a, beside=frozenset()) == ()


def test_within_one_organization_nothing_comes_back() -> None:
    clinic = frozenset({"Organization/x"})
    a, b = (Party(frozenset({f"Practitioner/{each}"}), clinic) for each in "ab")
    assert returns([(EARLIER, a, b)], b, a, beside=frozenset()) == ()
