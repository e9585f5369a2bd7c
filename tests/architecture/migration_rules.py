"""What a migration may do while the release before it serves (docs/operations/migrations.md), looked up in its SQL.

The list is of what is allowed: a statement that nobody has thought about is refused until somebody has.
"""

import io
import re
from collections.abc import Iterator
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

from alembic.migration import MigrationContext
from alembic.operations import Operations

# what neither blocks for longer than a moment nor is noticed by the release before
ANYWHERE = (
    r"CREATE TABLE ",
    r"CREATE (UNIQUE )?INDEX CONCURRENTLY ",
    r"DROP INDEX CONCURRENTLY ",
    r"COMMENT ON ",
    r"SET (lock_timeout|statement_timeout) ",
    r"/\* in batches \*/ UPDATE ",
    r"ALTER TABLE \S+ SET \(",
    r"ALTER TABLE \S+ VALIDATE CONSTRAINT ",
    r"ALTER TABLE \S+ ALTER COLUMN \S+ (SET STORAGE|SET STATISTICS|SET DEFAULT|DROP NOT NULL)\b",
    r"ALTER TABLE \S+ ADD CONSTRAINT \S+ (CHECK|FOREIGN KEY) .* NOT VALID$",
)
# what the release before would trip over: in a migration that says what code must know from then on
IN_CONTRACTS = (
    r"ALTER TABLE \S+ DROP (COLUMN|CONSTRAINT) ",
    r"ALTER TABLE \S+ ALTER COLUMN \S+ (SET NOT NULL|DROP DEFAULT)$",
    r"ALTER TABLE \S+ ADD CONSTRAINT \S+ (UNIQUE|PRIMARY KEY) USING INDEX ",
    r"DROP TABLE ",
)
_LETS_WRITE = r"ALTER TABLE \S+ (SET \(|VALIDATE CONSTRAINT )"
_COLUMN = re.compile(r"ALTER TABLE (\S+) ADD COLUMN (?:IF NOT EXISTS )?\S+ (.*)", re.IGNORECASE)
_CONSTANT = re.compile(r"DEFAULT ('[^']*'|-?\d+(\.\d+)?|true|false|null)(::\w+(\[\])?)?(?=\s|$)", re.IGNORECASE)
_SPECIAL = re.compile(r"\b(REFERENCES|UNIQUE|PRIMARY KEY|CHECK|GENERATED|SERIAL|BIGSERIAL)\b", re.IGNORECASE)
_SUBJECT = re.compile(
    r"(?:ALTER TABLE|CREATE TABLE|INSERT INTO|UPDATE|DELETE FROM|CREATE (?:UNIQUE )?INDEX \S+ ON|DROP TABLE) (\S+)",
    re.IGNORECASE,
)


def objections(path: Path) -> list[str]:
    """Why the migration in ``path`` may not be released like this; empty where it may."""
    module = _loaded(path)
    contracts = getattr(module, "contracts", None)
    found = []
    if contracts is not None and not contracts < module.revision:
        found.append(f"{path.name}: contracts names an older revision, of a release that is out")
    new: set[str] = set()
    locked: set[str] = set()
    for statement in statements(module):
        created = re.match(r"CREATE TABLE (?:IF NOT EXISTS )?(\S+)", statement, re.IGNORECASE)
        if created:
            new.add(created[1].strip('"'))
        subject = _SUBJECT.match(statement)
        if subject and subject[1].strip('"') in new:
            continue  # nobody uses it yet
        reason = _objection(statement, contract=contracts is not None)
        if subject and re.match(r"ALTER TABLE|DROP TABLE", statement) and not re.match(_LETS_WRITE, statement):
            locked.add(subject[1])
            if len(locked) > 1:
                reason = reason or "locks a second table in use: writers who come the other way round deadlock"
        if reason:
            found.append(f"{path.name}: {reason}: {statement[:100]}")
    return found


def statements(module: ModuleType) -> Iterator[str]:
    """What the migration's ``upgrade`` would send, each on one line."""
    script = io.StringIO()
    options = {"as_sql": True, "output_buffer": script, "transactional_ddl": True}
    context = MigrationContext.configure(dialect_name="postgresql", opts=options)
    with context.begin_transaction(_per_migration=True), Operations.context(context):
        module.upgrade()
    for part in re.split(r";(?=(?:[^']*'[^']*')*[^']*$)", script.getvalue()):
        statement = " ".join(part.split())
        if statement and statement not in ("BEGIN", "COMMIT"):
            yield statement


def _objection(statement: str, *, contract: bool) -> str | None:
    column = _COLUMN.match(statement)
    if column:
        definition = column[2]
        if _SPECIAL.search(definition):
            return "add the column plain, and what it must satisfy afterwards"
        if "DEFAULT" in definition.upper() and not _CONSTANT.search(definition):
            return "a default that is no constant rewrites the table"
        if "NOT NULL" in definition.upper() and "DEFAULT" not in definition.upper():
            return "the release before does not fill the column"
        return None
    if any(re.match(pattern, statement, re.IGNORECASE) for pattern in ANYWHERE):
        return None
    if any(re.match(pattern, statement, re.IGNORECASE) for pattern in IN_CONTRACTS):
        return None if contract else "the release before still needs it: say so with contracts = ..."
    if re.match(r"CREATE (UNIQUE )?INDEX ", statement, re.IGNORECASE):
        return "an index on a table in use is built CONCURRENTLY"
    return "not known to be safe while the system serves"


def _loaded(path: Path) -> ModuleType:
    spec = spec_from_file_location(f"migration_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
