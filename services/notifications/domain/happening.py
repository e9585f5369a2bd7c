"""What happened, as the rules see it: plain values, whatever contract the event came in."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Happening:
    """One event. References are relative (``Task/x``)."""

    event_id: str
    type: str
    """The event type, version included: ``referral.accepted.v1``."""
    focus: str
    """What it is about: the Task, the CarePlan, the Communication."""
    cause: str = ""
    """The first event of the chain. Whoever was told of one link is not told of the next."""
    patient: str | None = None
    based_on: str | None = None
    discipline: str | None = None
    requester: str | None = None
    owner: str | None = None
    awaited: str | None = None
    """Whose turn it is, of a referral that waits; the recipients' where nobody is named."""
    offered: tuple[str, ...] = ()
    """Whom an open referral is offered to."""
    withdrawn: tuple[str, ...] = ()
    """Whom it is not offered to any more."""
    waits_for: str | None = None
    """What a referral waits for, as its contract has it."""
    late: bool = False
    """Whether this is told later than it should have been."""
    team: tuple[str, ...] = ()
    """Those who take part in the patient's care, but for the parties to the referral that the event comes from."""
    traceparent: str | None = None

    @property
    def told_as(self) -> str:
        """The id under which a receiver is told once."""
        return self.cause or self.event_id
