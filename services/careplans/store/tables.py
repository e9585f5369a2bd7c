"""The service's own tables."""

from datetime import datetime

from sqlalchemy import ARRAY, Column, DateTime, ForeignKey, Index, MetaData, Text, text
from sqlmodel import Field, SQLModel

metadata = MetaData()


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
