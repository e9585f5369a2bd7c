"""The service's own tables."""

from datetime import date, datetime

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    ForeignKey,
    Index,
    LargeBinary,
    MetaData,
    Text,
    text,
)
from sqlmodel import Field, SQLModel

metadata = MetaData()

ACTIVE = "status IN ('active', 'on-hold', 'draft', 'unknown')"
"""Of a shared plan that people work on, or are about to."""
FLAGGED = "flags <> '{}'"
UNTOLD = "told_for IS DISTINCT FROM revisit_by"


class CareplansTable(SQLModel):
    """The base of these tables, with a MetaData of its own."""

    metadata = metadata


class SharedPlanRow(CareplansTable, table=True):
    """A patient's shared plan. At most one per patient is current: that is what makes it *the* shared plan.

    ``care_team`` is the id that the team has, or will have once there is somebody to be in it."""

    __tablename__ = "shared_plan"
    __table_args__ = (Index("shared_plan_current", "patient", unique=True, postgresql_where=text("current")),)
    care_plan: str = Field(primary_key=True, sa_type=Text)
    patient: str = Field(sa_type=Text)
    care_team: str = Field(sa_type=Text, unique=True)
    current: bool = True


class FollowedReferralRow(CareplansTable, table=True):
    """What is known of one referral, merged from its events; the plan's activity is a projection of this row."""

    __tablename__ = "followed_referral"
    task: str = Field(primary_key=True, sa_type=Text)
    care_plan: str = Field(sa_column=Column(Text, ForeignKey("shared_plan.care_plan"), nullable=False, index=True))
    version: int
    patient: str = Field(sa_type=Text)
    status: str = Field(sa_type=Text)
    business_status: str | None = Field(default=None, sa_type=Text)
    service_request: str | None = Field(default=None, sa_type=Text)
    discipline: str | None = Field(default=None, sa_type=Text)
    owner: str | None = Field(default=None, sa_type=Text)
    outputs: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    accepted_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))
    ended_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))


class SafetyDueRow(CareplansTable, table=True):
    """A patient (id) whose record the safety rules look at from ``due_at`` on."""

    __tablename__ = "safety_due"
    patient: str = Field(primary_key=True, sa_type=Text)
    due_at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False, index=True))


class SafetyMarkRow(CareplansTable, table=True):
    """Up to where changes of the record were seen: what ``snapshot`` (of PostgreSQL) saw, at ``at``."""

    __tablename__ = "safety_mark"
    name: str = Field(primary_key=True, sa_type=Text)
    snapshot: str = Field(sa_type=Text)
    at: datetime = Field(sa_column=Column(DateTime(timezone=True), nullable=False))


class OutcomeScoreRow(CareplansTable, table=True):
    """A score of an outcome measure, as its Observation has it; what is no score is not here."""

    __tablename__ = "outcome_score"
    __table_args__ = (Index("outcome_score_of", "patient", "measure", "at"),)
    observation: str = Field(primary_key=True, sa_type=Text)
    """The id."""
    patient: str = Field(sa_type=Text)
    measure: str = Field(sa_type=Text)
    at: datetime = Field(sa_type=DateTime(timezone=True))
    value: str = Field(sa_type=Text)
    """Exact, as a fraction: ``20/3``."""


class SafetyAnswerRow(CareplansTable, table=True):
    """An answer about self-harm: that there is one, since when, and whether it is known to be harmless."""

    __tablename__ = "safety_answer"
    __table_args__ = (Index("safety_answer_of", "patient", "at"),)
    resource: str = Field(primary_key=True, sa_type=Text)
    patient: str = Field(sa_type=Text)
    at: datetime = Field(sa_type=DateTime(timezone=True))
    harmless: bool


class PlanStandingRow(CareplansTable, table=True):
    """How a shared plan stands, for the board: a projection of the plan, its team, its goals and the scores."""

    __tablename__ = "plan_standing"
    __table_args__ = (
        Index("plan_standing_review", "next_review_at", "care_plan", postgresql_where=text(ACTIVE)),
        Index("plan_standing_stale", "stale_at", "care_plan", postgresql_where=text(ACTIVE)),
        Index("plan_standing_gaps", "gap_at", "care_plan", postgresql_where=text(ACTIVE)),
        Index("plan_standing_members", "members", postgresql_using="gin", postgresql_where=text(ACTIVE)),
        Index("plan_standing_flagged", "next_review_at", "care_plan", postgresql_where=text(f"{ACTIVE} AND {FLAGGED}")),
    )
    care_plan: str = Field(primary_key=True, sa_type=Text)
    patient: str = Field(sa_column=Column(Text, nullable=False, index=True))
    status: str = Field(sa_type=Text)
    version: int
    disciplines: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    members: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    open_activities: int
    activities: int
    goals: int
    gaps: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    flags: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    sections: list[str] = Field(sa_column=Column(ARRAY(Text), nullable=False))
    """Names, beside when each has changed last."""
    sections_at: list[datetime] = Field(sa_column=Column(ARRAY(DateTime(timezone=True)), nullable=False))
    last_score_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))
    last_review_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))
    next_review_at: datetime = Field(sa_type=DateTime(timezone=True))
    unmeasured_at: datetime = Field(sa_type=DateTime(timezone=True))
    """From when on nothing was measured for too long."""
    gap_at: datetime = Field(sa_type=DateTime(timezone=True))
    """From when on the plan has a gap: long ago where it has one that does not come with time."""
    stale_at: datetime = Field(sa_type=DateTime(timezone=True))
    """From when on the first section is stale."""


class FilledRow(CareplansTable, table=True):
    """How far the tables above are filled from what was stored before they were there."""

    __tablename__ = "projection_fill"
    type: str = Field(primary_key=True, sa_type=Text)
    position: int = Field(sa_column=Column(BigInteger, nullable=False, server_default="0"))
    done: bool = Field(default=False, sa_column=Column(Boolean, nullable=False, server_default="false"))


class CareMinutesRow(CareplansTable, table=True):
    """An entry of the ledger of minutes (``domain/minutes.py``). Rows are added, never changed.

    ``caller``, ``key`` and ``request`` (SHA-256) are of the Idempotency-Key with which it came, where there was one."""

    __tablename__ = "care_minutes"
    __table_args__ = (
        Index("care_minutes_of", "care_plan", "day"),
        Index("care_minutes_corrects", "corrects", unique=True, postgresql_where=text("corrects IS NOT NULL")),
        Index("care_minutes_key", "caller", "key", unique=True, postgresql_where=text("key IS NOT NULL")),
    )
    id: str = Field(primary_key=True, sa_type=Text)
    care_plan: str = Field(sa_type=Text)
    day: date = Field(sa_type=Date)
    minutes: int
    kind: str = Field(sa_type=Text)
    mode: str = Field(sa_type=Text)
    performer: str = Field(sa_type=Text)
    qualified: bool
    discipline: str | None = Field(default=None, sa_type=Text)
    recorded_by: str = Field(sa_type=Text)
    recorded_at: datetime = Field(sa_type=DateTime(timezone=True))
    evidence: str | None = Field(default=None, sa_type=Text)
    corrects: str | None = Field(default=None, sa_type=Text)
    reason: str | None = Field(default=None, sa_type=Text)
    caller: str = Field(sa_type=Text)
    key: bytes | None = Field(default=None, sa_column=Column(LargeBinary))
    request: bytes | None = Field(default=None, sa_column=Column(LargeBinary))


class UncertainDiagnosisRow(CareplansTable, table=True):
    """A diagnosis that is not certain yet, and for which date it was told that it has passed."""

    __tablename__ = "uncertain_diagnosis"
    __table_args__ = (
        Index("uncertain_diagnosis_due", "revisit_by", "condition", postgresql_where=text(UNTOLD)),
        Index("uncertain_diagnosis_by", "revisit_by", "condition"),
    )
    condition: str = Field(primary_key=True, sa_type=Text)
    version: int
    patient: str = Field(sa_column=Column(Text, nullable=False, index=True))
    verification: str = Field(sa_type=Text)
    revisit_by: date | None = Field(default=None, sa_type=Date)
    red_flags: int
    told_for: date | None = Field(default=None, sa_type=Date)


class ReferralOrderRow(CareplansTable, table=True):
    """An order to the referrals' service that people decided on. ``next_at`` is None when nothing is left to do."""

    __tablename__ = "referral_order"
    __table_args__ = (
        Index("referral_order_due", "next_at", postgresql_where=text("next_at IS NOT NULL")),
        Index("referral_order_proposal", "request_group"),
    )
    task: str = Field(primary_key=True, sa_type=Text)
    care_plan: str = Field(sa_type=Text)
    request_group: str = Field(sa_type=Text)
    action: str = Field(sa_type=Text)
    state: str = Field(sa_type=Text)
    failures: int
    """Attempts in a row that did not reach the service."""
    created_at: datetime = Field(sa_type=DateTime(timezone=True))
    next_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))


class DisciplineWaitRow(CareplansTable, table=True):
    """How long one waits for a discipline, as the referrals' service told it. ``days`` is None where nobody knows."""

    __tablename__ = "discipline_wait"
    discipline: str = Field(primary_key=True, sa_type=Text)
    days: int | None = None
    told_at: datetime = Field(sa_type=DateTime(timezone=True))
