"""No migration blocks the system, or breaks the release that still serves; and the check of that bites."""

from pathlib import Path

import pytest

from shared.store.revisions import known
from tests.architecture.migration_rules import objections

SERVICES = Path(__file__).parents[2] / "services"
FOLDERS = sorted(SERVICES.glob("*/migrations"))


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.parent.name)
def test_every_migration_keeps_the_rules(folder: Path) -> None:
    assert known(folder), "no migrations found"
    assert [reason for path in sorted((folder / "versions").glob("[0-9]*.py")) for reason in objections(path)] == []


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.parent.name)
def test_revisions_are_numbered_as_they_follow_each_other(folder: Path) -> None:
    assert known(folder) == tuple(f"{number:04}" for number in range(1, len(known(folder)) + 1))


def planted(tmp_path: Path, body: str, *, contracts: str | None = None) -> list[str]:
    path = tmp_path / "0009_planted.py"
    lines = ["import sqlalchemy as sa", "from alembic import op", "from shared.store import expanding"]
    lines += ['revision = "0009"', 'down_revision = "0008"']
    lines += [] if contracts is None else [f'contracts = "{contracts}"']
    path.write_text("\n".join([*lines, "def upgrade():", f"    {body}"]) + "\n")
    return objections(path)


@pytest.mark.parametrize(
    "body",
    [
        'op.drop_column("resource", "marks")',
        'op.drop_table("inbox")',
        'op.rename_table("inbox", "postbox")',
        'op.alter_column("resource", "marks", new_column_name="signs")',
        'op.alter_column("resource", "version", type_=sa.BigInteger)',
        'op.alter_column("outbox", "retry_at", nullable=False)',
        'op.add_column("resource", sa.Column("more", sa.Text, nullable=False))',
        'op.add_column("resource", sa.Column("more", sa.Text, server_default=sa.text("gen_random_uuid()")))',
        'op.add_column("resource", sa.Column("more", sa.Text, sa.ForeignKey("outbox.event_id")))',
        'op.create_index("more", "resource", ["version"])',
        'op.execute("CREATE UNIQUE INDEX more ON resource (version)")',
        'op.create_unique_constraint("more", "resource", ["version"])',
        'op.create_check_constraint("more", "resource", "version > 0")',
        'op.execute("UPDATE resource SET version = version + 1")',
        'op.execute("DELETE FROM outbox")',
        'op.execute("LOCK TABLE resource")',
        'op.execute("CREATE TRIGGER t BEFORE INSERT ON resource EXECUTE FUNCTION f()")',
        'op.execute("VACUUM FULL resource")',
        'op.execute("SELECT 1; DROP TABLE resource")',
        'op.add_column("inbox", sa.Column("m", sa.Text)); op.add_column("outbox", sa.Column("m", sa.Text))',
    ],
)
def test_what_blocks_or_breaks_the_release_before_is_refused(tmp_path: Path, body: str) -> None:
    assert planted(tmp_path, body) != []


@pytest.mark.parametrize(
    "body",
    [
        'op.add_column("resource", sa.Column("more", sa.Text))',
        'op.add_column("outbox", sa.Column("more", sa.Integer, nullable=False, server_default="0"))',
        'op.create_table("fresh", sa.Column("id", sa.Text, primary_key=True)); op.create_index("i", "fresh", ["id"])',
        'expanding.add_index("more", "ON resource (version)")',
        'expanding.in_batches("resource", "version = 1", "version = 0")',
        'op.execute("ALTER TABLE resource ADD CONSTRAINT c CHECK (version > 0) NOT VALID")',
        'expanding.validate("resource", "c")',
    ],
)
def test_what_expands_is_let_through(tmp_path: Path, body: str) -> None:
    assert planted(tmp_path, body) == []


def test_what_a_contract_drops_needs_its_marker(tmp_path: Path) -> None:
    assert planted(tmp_path, 'op.drop_column("resource", "marks")', contracts="0007") == []
    assert planted(tmp_path, 'op.drop_column("resource", "marks")', contracts="0009") != []
    assert planted(tmp_path, 'op.create_index("more", "resource", ["version"])', contracts="0007") != []
