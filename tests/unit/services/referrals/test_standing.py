"""How a referral stands, folded from the changes of its Task."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from services.referrals.domain.calendar import Calendar
from services.referrals.domain.clocks import Stage, fire
from services.referrals.domain.events import happened_between
from services.referrals.domain.standing import PRIORITIES, Standing, after_firing, follows
from shared.fhir.definitions.table import codes
from shared.fhir.json import Resource
from tests.factories.referrals import task
from tests.unit.services.referrals.deciding import NOW

DAY = timedelta(days=1)
PLACE = Calendar(ZoneInfo("UTC"), lambda day: False, workdays=frozenset(range(7)))


def run(*states: str, **more: object) -> list[Standing]:
    """How a referral stands on each day that it comes into the next of ``states``."""
    standings: list[Standing] = []
    before: Resource | None = None
    for number, state in enumerate(states):
        after = task(*state.split(), meta={"versionId": str(number + 1)}, **more)
        told = happened_between(before, after)
        standings.append(follows(standings[-1] if standings else None, before, after, told, NOW + number * DAY, PLACE))
        before = after
    return standings


def day(moment: datetime | None) -> int | None:
    return None if moment is None else (moment - NOW).days


def test_a_whole_loop_keeps_when_each_milestone_was_reached_first() -> None:
    last = run("draft", "received 2.0", "accepted 3.0", "in-progress 5.1.1", "in-progress 5.1.4", "completed 7.0")[-1]
    assert [day(last.sent_at), day(last.acknowledged_at), day(last.accepted_at)] == [1, 1, 2]
    assert [day(last.scheduled_at), day(last.seen_at), day(last.reported_at), day(last.ended_at)] == [3, 4, 5, 5]
    assert (last.waits_for, last.version, last.closed_at) == ("closing", 6, None)


def test_a_booking_counts_from_the_last_one() -> None:
    path = ("received 2.0", "accepted 3.0", "in-progress 5.1.1", "in-progress 5.1.2", "in-progress 5.1.1")
    standings = run(*path)
    assert [day(each.scheduled_at) for each in standings] == [None, None, 2, 2, 4]
    assert standings[-1].seen_at is None, "a no-show was not seen"


def test_the_state_lasts_while_only_content_changes() -> None:
    first = run("accepted")[0]
    assigned = task("accepted", owner={"reference": "Practitioner/moss"}, meta={"versionId": "2"})
    second = follows(first, task("accepted"), assigned, None, NOW + DAY, PLACE)
    assert (second.since, second.owner, second.version) == (NOW, "Practitioner/moss", 2)
    ended = run("requested", "cancelled")[-1]
    again = follows(ended, task("cancelled"), task("cancelled", meta={"versionId": "3"}), None, NOW + 9 * DAY, PLACE)
    assert day(again.ended_at) == 1


def test_what_was_brought_in_late_has_its_milestones_then() -> None:
    only = run("in-progress 5.1.1")[0]
    assert {only.sent_at, only.accepted_at, only.scheduled_at} == {NOW}
    assert only.seen_at is None


def test_every_priority_has_its_place() -> None:
    assert set(PRIORITIES) == {None}.union(*codes("request-priority").values())
    assert run("requested", priority="stat")[0].priority < run("requested")[0].priority


def fired(standing: Standing, days: float) -> Standing:
    """``standing`` after what was due of its clock on a day was told."""
    assert standing.clock is not None
    then = fire(standing.clock, NOW + days * DAY, standing.terms(PLACE))
    assert then is not None
    return after_firing(standing, *then)


def test_the_clock_runs_while_somebody_is_waited_for() -> None:
    first = run("requested")[0]
    assert (first.waits_for, first.waits_since, day(first.due_at)) == ("acknowledgement", NOW, 2)
    assert (first.next_stage, first.next_at) == ("reminder", NOW + 1.5 * DAY)
    assert run("draft")[0].clock is None
    assert run("requested", "cancelled")[-1].next_at is None


def test_what_was_told_is_kept_with_the_wait_and_forgotten_with_it() -> None:
    told = fired(run("requested")[0], 2)
    assert (told.told, told.next_stage) == (Stage.ESCALATION, Stage.REROUTE)
    assigned = task("requested", owner={"reference": "Practitioner/moss"}, meta={"versionId": "2"})
    kept = follows(told, task("requested"), assigned, None, NOW + 2.5 * DAY, PLACE)
    assert (kept.told, kept.next_stage, kept.waits_since) == (Stage.ESCALATION, Stage.REROUTE, NOW)
    accepted = task("accepted", meta={"versionId": "3"})
    other = follows(kept, assigned, accepted, happened_between(assigned, accepted), NOW + 3 * DAY, PLACE)
    assert (other.told, other.next_stage, other.waits_since) == (None, Stage.REMINDER, NOW + 3 * DAY)


def test_what_has_ended_before_we_heard_of_it_waits_for_nobody() -> None:
    assert run("completed 7.0")[0].waits_for is None
    assert run("in-progress", "completed")[-1].waits_for == "closing"


def test_a_referral_from_before_the_clocks_begins_its_wait_when_it_comes_into_them() -> None:
    found = follows(None, task("accepted"), task("accepted", meta={"versionId": "2"}), None, NOW + DAY, PLACE)
    assert (found.waits_for, found.waits_since) == ("scheduling", NOW + DAY)


def test_urgency_shortens_the_clock_that_runs() -> None:
    first = run("requested")[0]
    pressing = task("requested", priority="asap", meta={"versionId": "2"})
    hurried = follows(first, task("requested"), pressing, None, NOW + 0.1 * DAY, PLACE)
    assert hurried.due_at is not None
    assert first.due_at is not None
    assert hurried.due_at < first.due_at
    assert hurried.waits_since == NOW
