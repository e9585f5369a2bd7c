"""The main job end to end, over both transports: referrals become part of the one shared plan, and everyone hears."""

from collections import Counter

from services.notifications.domain.receivers import COORDINATORS
from tests.e2e.conftest import NAMES
from tests.e2e.evidence import Evidence, statuses
from tests.e2e.referring import Sent, act, furnish, send
from tests.eventually import eventually
from tests.factories.system import COORDINATOR, EHR, PSYCHOLOGIST, SPECIALIST, THERAPIST, System


async def test_two_referrals_become_one_plan_with_team_outcome_and_messages(system: System, evidence: Evidence) -> None:
    async with system.site() as site, site.working():
        (patient,) = await furnish(site)
        mental, physical = await send(site, patient), await send(site, patient, THERAPIST)
        assert mental is not None
        assert physical is not None
        report = await site.by(EHR).post("/fhir/DocumentReference", json=_report(patient))
        assert report.status_code == 201, report.text
        for sent in (mental, physical):
            await act(site, sent, "accept")
            await act(site, sent, "schedule")
        await act(site, mental, "complete", report=f"DocumentReference/{report.json()['id']}")
        await eventually(lambda: _as_expected(evidence, patient, mental, physical), within=30)
        await eventually(evidence.drained)
        await eventually(evidence.all_heard)
        assert await evidence.whole()
        assert await evidence.told_once([mental, physical])

        plan = (await evidence.shared_plans())[patient]
        (done,) = (one for one in plan["activity"] if one["reference"]["reference"] == mental.order)
        assert [one["reference"] for one in done["outcomeReference"]] == [f"DocumentReference/{report.json()['id']}"]
        team = (await site.by(COORDINATOR).get(f"/fhir/{plan['careTeam'][0]['reference']}")).json()
        members = {(one["member"]["reference"], one["role"][0]["coding"][0]["code"]) for one in team["participant"]}
        assert members == {("Organization/mind", "mental-health"), ("Organization/motion", "physical-therapy")}
        assert len(team["participant"]) == 2

        rows = await evidence.rows("notifications", "SELECT type, receiver, focus FROM delivery")
        direct = Counter((row["type"].split(".")[1], row["receiver"], row["focus"]) for row in rows if _direct(row))
        requester = SPECIALIST.fhir_user
        assert direct == Counter(
            [
                *(("requested", sent.owner.organization, sent.task) for sent in (mental, physical)),
                *(("accepted", requester, sent.task) for sent in (mental, physical)),
                *(("scheduled", requester, sent.task) for sent in (mental, physical)),
                ("completed", requester, mental.task),
            ]
        )
        team_told = {row["receiver"] for row in rows if not _direct(row)}
        assert {PSYCHOLOGIST.organization, THERAPIST.organization} >= team_told - {requester, COORDINATORS}
        kinds = {type_.split(".")[0] for name in NAMES for _, type_ in await evidence.events(name)}
        assert kinds == {"referral", "careplan", "notification"}


async def test_the_requester_reads_the_messages_over_rest(plain_system: System, evidence: Evidence) -> None:
    async with plain_system.site() as site, site.working():
        (patient,) = await furnish(site)
        sent = await send(site, patient)
        assert sent is not None
        await act(site, sent, "accept")
        await eventually(evidence.drained)
        await eventually(evidence.all_heard)
        answer = await site.by(SPECIALIST).get("/api/notifications/messages")
        assert answer.status_code == 200, answer.text
        assert [message["focus"] for message in answer.json()["messages"]] == [sent.task]


async def _as_expected(evidence: Evidence, patient: str, mental: Sent, physical: Sent) -> bool:
    plan = (await evidence.shared_plans()).get(patient, {"status": "not there"})
    return plan["status"] == "active" and statuses(plan) == {mental.order: "completed", physical.order: "scheduled"}


def _direct(row: dict[str, str]) -> bool:
    return row["type"].startswith("referral.")


def _report(patient: str) -> dict[str, object]:
    return {
        "resourceType": "DocumentReference",
        "status": "current",
        "subject": {"reference": patient},
        "content": [{"attachment": {"contentType": "text/plain", "data": "b2s="}}],
    }
