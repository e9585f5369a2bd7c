"""A referral that comes back to who sent it is found, however deep, and whoever stands for them."""

from typing import Any

import pytest

from services.referrals.domain.descent import Loop, Sender, above, loops, senders
from services.referrals.domain.ties import NOBODY, Party, Tie, nearest, party_of, tie
from tests.factories.directory import role, service
from tests.factories.referrals import order, reference, task

A, B, C = "Practitioner/a", "Practitioner/b", "Practitioner/c"


def known(*resources: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {f"{each['resourceType']}/{each['id']}": each for each in resources}


def sent(id: str, by: str, *parents: str, **more: Any) -> dict[str, Any]:
    parts = [reference(f"Task/{each}") for each in parents] or None
    return task(id=id, requester=reference(by), partOf=parts, focus=reference(f"ServiceRequest/{id}"), **more)


def test_what_a_referral_comes_from() -> None:
    made = sent("t2", B, "t1", basedOn=[reference("ServiceRequest/o9"), reference("CarePlan/p")])
    assert list(above(made)) == ["Task/t1", "ServiceRequest/o9", "ServiceRequest/t2"]
    assert list(above(order(basedOn=[reference("ServiceRequest/o8")], replaces=[reference("ServiceRequest/o7")]))) == [
        "ServiceRequest/o8",
        "ServiceRequest/o7",
    ]
    assert list(above(service())) == []


def test_all_who_sent_it_are_found_the_latest_first() -> None:
    up = known(
        sent("t1", A),
        sent("t2", B, "t1"),
        sent("t3", C, "t2"),
        order(id="t2", basedOn=[reference("ServiceRequest/o0")], requester=reference(B)),
        order(id="o0", requester=reference("Organization/x")),
    )
    assert senders(["Task/t3"], up, "Practitioner/d") == (
        Sender(C, "Task/t3"),
        Sender(B, "Task/t2"),
        Sender(A, "Task/t1"),
        Sender("Organization/x", "ServiceRequest/o0"),
    )


def test_who_sends_it_now_is_no_sender_of_before() -> None:
    assert senders(["Task/t1"], known(sent("t1", A)), A) == ()


def test_a_circle_of_parts_ends() -> None:
    assert senders(["Task/t1"], known(sent("t1", A, "t2"), sent("t2", B, "t1")), None) == (
        Sender(A, "Task/t1"),
        Sender(B, "Task/t2"),
    )


CLINIC = "Organization/clinic"
ROLE_OF_A = role("ra", practitioner=reference(A), organization=reference(CLINIC))
OTHER_ROLE = role("rc", practitioner=reference(C), organization=reference(CLINIC))
SERVICE = service("s", providedBy=reference(CLINIC))
HERE = known(ROLE_OF_A, OTHER_ROLE, SERVICE)


@pytest.mark.parametrize(
    ("to", "expected"),
    [
        (A, Tie.SAME),
        ("PractitionerRole/ra", Tie.SAME),
        ("PractitionerRole/rc", Tie.ORGANIZATION),
        ("HealthcareService/s", Tie.ORGANIZATION),
        (CLINIC, Tie.ORGANIZATION),
        (B, None),
        ("PractitionerRole/unknown", None),
        (None, None),
    ],
)
def test_it_comes_back_to_whoever_stands_for_the_sender(to: str | None, expected: Tie | None) -> None:
    sender = Sender(A, "Task/t1")
    up = [(sender, party_of(A, HERE, [ROLE_OF_A]))]
    found = loops(party_of(to, HERE), up)
    assert found == (() if expected is None else (Loop(sender, expected),))


def test_a_service_and_a_role_in_it_are_the_same() -> None:
    inside = known(role("r", healthcareService=[reference("HealthcareService/s")]))
    assert tie(party_of("PractitionerRole/r", inside), party_of("HealthcareService/s", HERE)) is Tie.SAME


def test_the_nearest_tie_counts_and_nobody_is_tied_to_nobody() -> None:
    one = Party(frozenset({A}), frozenset({CLINIC}))
    assert nearest(one, [Party(frozenset({B}), frozenset({CLINIC})), Party(frozenset({A}))]) is Tie.SAME
    assert nearest(one, []) is None
    assert tie(NOBODY, NOBODY) is None
