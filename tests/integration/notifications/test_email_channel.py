"""E-mail against a real SMTP server."""

from collections.abc import Callable

import pytest

from services.notifications.channels.email import Mailbox, email_channel
from services.notifications.domain.delivery import DELIVERED, Outcome, Reason, Verdict
from tests.integration.notifications.receivers import MailServer
from tests.integration.notifications.support import letter

ADDRESS = "moss@mind-centre.example"


def mailbox(url: str) -> Mailbox:
    return Mailbox(url, "consilium@network.example", "https://consilium.example/")


async def test_a_letter_arrives_as_a_mail_with_its_text_as_subject(mail: MailServer) -> None:
    assert await email_channel(mailbox(mail.url))(letter(ADDRESS)) == DELIVERED
    (got,) = mail.got
    assert mail.recipients == [ADDRESS]
    assert got["Subject"] == "A referral to mental health was accepted."
    assert got["Message-ID"] == "<0198c0de-0000-7000-8000-00000000000a@network.example>"
    assert got["Auto-Submitted"] == "auto-generated"
    assert "https://consilium.example/fhir/Task/t1" in str(got.get_payload())


async def test_every_attempt_carries_the_same_message_id_and_date(mail: MailServer) -> None:
    mail.answers.append("451 later")
    send = email_channel(mailbox(mail.url))
    await send(letter(ADDRESS))
    await send(letter(ADDRESS))
    first, second = mail.got
    assert (first["Message-ID"], first["Date"]) == (second["Message-ID"], second["Date"])


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        ("451 local error", Outcome(Verdict.RETRY, Reason.SMTP_TEMPORARY, 451)),
        ("452 full", Outcome(Verdict.RETRY, Reason.SMTP_TEMPORARY, 452)),
        ("550 no such user", Outcome(Verdict.REFUSED, Reason.SMTP_PERMANENT, 550)),
    ],
)
async def test_what_the_server_answers_decides(mail: MailServer, answer: str, outcome: Outcome) -> None:
    mail.answers.append(answer)
    assert await email_channel(mailbox(mail.url))(letter(ADDRESS)) == outcome


async def test_no_server_is_tried_again(unused_tcp_port_factory: Callable[[], int]) -> None:
    send = email_channel(mailbox(f"smtp://127.0.0.1:{unused_tcp_port_factory()}"))
    assert await send(letter(ADDRESS)) == Outcome(Verdict.RETRY, Reason.CONNECTION)


async def test_starttls_is_demanded_where_the_url_says_so(mail: MailServer) -> None:
    send = email_channel(mailbox(mail.url.replace("smtp://", "smtp+starttls://")))
    outcome = await send(letter(ADDRESS))
    assert outcome.verdict is Verdict.RETRY
    assert mail.got == []


@pytest.mark.parametrize("url", ["http://mail.example", "smtp://", "mail.example:25"])
def test_a_url_that_is_no_smtp_url_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(ValueError, match="SMTP URL") as refusal:
        email_channel(mailbox(url))
    assert "mail.example" not in str(refusal.value)
