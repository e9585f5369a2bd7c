"""How shared plans stand, the scores behind it, how far both are filled; and the ledger of minutes."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

_ACTIVE = sa.text("status IN ('active', 'on-hold', 'draft', 'unknown')")


def upgrade() -> None:
    """Create the tables; a worker fills them beside the traffic (``app/filling.py``)."""
    moment, texts = sa.DateTime(timezone=True), sa.ARRAY(sa.Text)
    op.create_table(
        "outcome_score",
        sa.Column("observation", sa.Text, primary_key=True),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("patient", "measure")),
        sa.Column("at", moment, nullable=False),
        sa.Column("value", sa.Text, nullable=False),
    )
    op.create_index("outcome_score_of", "outcome_score", ["patient", "measure", "at"])
    op.create_table(
        "safety_answer",
        sa.Column("resource", sa.Text, primary_key=True),
        sa.Column("patient", sa.Text, nullable=False),
        sa.Column("at", moment, nullable=False),
        sa.Column("harmless", sa.Boolean, nullable=False),
    )
    op.create_index("safety_answer_of", "safety_answer", ["patient", "at"])
    op.create_table(
        "plan_standing",
        sa.Column("care_plan", sa.Text, primary_key=True),
        sa.Column("patient", sa.Text, nullable=False, index=True),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        *(sa.Column(name, texts, nullable=False) for name in ("disciplines", "members")),
        *(sa.Column(name, sa.Integer, nullable=False) for name in ("open_activities", "activities", "goals")),
        *(sa.Column(name, texts, nullable=False) for name in ("gaps", "flags", "sections")),
        sa.Column("sections_at", sa.ARRAY(moment), nullable=False),
        *(sa.Column(name, moment) for name in ("last_score_at", "last_review_at")),
        *(
            sa.Column(name, moment, nullable=False)
            for name in ("next_review_at", "unmeasured_at", "gap_at", "stale_at")
        ),
    )
    for name, column in (("review", "next_review_at"), ("stale", "stale_at"), ("gaps", "gap_at")):
        op.create_index(f"plan_standing_{name}", "plan_standing", [column, "care_plan"], postgresql_where=_ACTIVE)
    flagged = sa.text(f"{_ACTIVE} AND flags <> '{{}}'")
    ordered = ["next_review_at", "care_plan"]
    op.create_index("plan_standing_flagged", "plan_standing", ordered, postgresql_where=flagged)
    op.create_index(
        "plan_standing_members", "plan_standing", ["members"], postgresql_using="gin", postgresql_where=_ACTIVE
    )
    op.create_table(
        "projection_fill",
        sa.Column("type", sa.Text, primary_key=True),
        sa.Column("position", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("done", sa.Boolean, nullable=False, server_default="false"),
    )
    op.create_table(
        "uncertain_diagnosis",
        sa.Column("condition", sa.Text, primary_key=True),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("patient", sa.Text, nullable=False, index=True),
        sa.Column("verification", sa.Text, nullable=False),
        sa.Column("revisit_by", sa.Date),
        sa.Column("red_flags", sa.Integer, nullable=False),
        sa.Column("told_for", sa.Date),
    )
    untold = sa.text("told_for IS DISTINCT FROM revisit_by")
    by_date = ["revisit_by", "condition"]
    op.create_index("uncertain_diagnosis_due", "uncertain_diagnosis", by_date, postgresql_where=untold)
    op.create_index("uncertain_diagnosis_by", "uncertain_diagnosis", by_date)
    op.create_table(
        "care_minutes",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("care_plan", sa.Text, nullable=False),
        sa.Column("day", sa.Date, nullable=False),
        sa.Column("minutes", sa.Integer, nullable=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("kind", "mode", "performer")),
        sa.Column("qualified", sa.Boolean, nullable=False),
        sa.Column("discipline", sa.Text),
        sa.Column("recorded_by", sa.Text, nullable=False),
        sa.Column("recorded_at", moment, nullable=False),
        *(sa.Column(name, sa.Text) for name in ("evidence", "corrects", "reason")),
        sa.Column("caller", sa.Text, nullable=False),
        *(sa.Column(name, sa.LargeBinary) for name in ("key", "request")),
    )
    op.create_index("care_minutes_of", "care_minutes", ["care_plan", "day"])
    for name, columns in (("corrects", ["corrects"]), ("key", ["caller", "key"])):
        where = sa.text(f"{name} IS NOT NULL")
        op.create_index(f"care_minutes_{name}", "care_minutes", columns, unique=True, postgresql_where=where)
