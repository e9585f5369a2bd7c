"""The database of one service: reachable, fit, at the right schema, nothing left behind in it; and its clock."""

import time
from pathlib import Path

import asyncpg

from shared.doctor.finding import Finding, failure, ok, warning
from shared.store.losses import DATABASE_LOSSES
from shared.store.replica import IDENTITY
from shared.store.revisions import head, runs_on
from shared.telemetry.failures import class_of

CONNECTING = 5.0
OLDEST, TESTED = 15, 18
"""PostgreSQL's major versions: the oldest that we expect to work, the newest that the tests run on."""
SKEW_TOLD, SKEW_BAD = 2.0, 30.0
"""Seconds between two clocks."""
WAITS_LONG = 120.0
"""Seconds after which an event in the outbox is late."""
FORGOTTEN = 600.0
"""Seconds after which nobody finishes a prepared transaction any more."""


async def examine(service: str, url: str, migrations: Path) -> list[Finding]:
    """What is to be said of the database of ``service``."""
    name = f"database {service}"
    try:
        connection = await asyncpg.connect(url, timeout=CONNECTING)
    except asyncpg.InvalidCatalogNameError:
        return [failure(name, "it does not exist", "Run the migrations: they make it.")]
    except asyncpg.InvalidAuthorizationSpecificationError:
        return [failure(name, "user or password is not accepted", "Correct CONSILIUM_DATABASE_URL.")]
    except (*DATABASE_LOSSES, asyncpg.PostgresError, ValueError) as error:
        told = f"it cannot be reached ({class_of(error)})"
        return [failure(name, told, "Is PostgreSQL up, and CONSILIUM_DATABASE_URL right? Can this machine reach it?")]
    try:
        return [
            *await _server(name, connection),
            await _clock(service, connection),
            *await _schema(service, connection, migrations),
        ]
    finally:
        await connection.close()


async def examine_replica(service: str, url: str, primary: str) -> list[Finding]:
    """What is to be said of the read replica at ``url`` of the database at ``primary``; without it nothing fails."""
    name = f"replica {service}"
    try:
        theirs = await _standing(url)
    except (*DATABASE_LOSSES, asyncpg.PostgresError, ValueError) as error:
        do = "Is it up, and CONSILIUM_DATABASE_READ_URL right? Until then the primary answers searches."
        return [warning(name, f"it cannot be reached ({class_of(error)})", do)]
    try:
        ours = await _standing(primary)
    except (*DATABASE_LOSSES, asyncpg.PostgresError, ValueError):
        return [
            warning(name, "its primary cannot be reached, so they were not compared", "See the database's findings.")
        ]
    if theirs["identity"] != ours["identity"]:
        do = "Correct CONSILIUM_DATABASE_READ_URL; the primary answers searches, as this one is never asked."
        return [failure(name, "it is not a copy of this service's database", do)]
    if not theirs["replica"]:
        do = "Let CONSILIUM_DATABASE_READ_URL name a physical replica; the primary answers searches meanwhile."
        return [warning(name, "it is no replica: it takes writes", do)]
    return [ok(name, "it is a copy of this service's database")]


async def _standing(url: str) -> asyncpg.Record:
    connection = await asyncpg.connect(url, timeout=CONNECTING)
    try:
        row = await connection.fetchrow(f"SELECT pg_is_in_recovery() AS replica, {IDENTITY}")
        assert row is not None  # it asks for one row
        return row
    finally:
        await connection.close()


async def _server(name: str, connection: asyncpg.Connection) -> list[Finding]:
    major = connection.get_server_version().major
    row = await connection.fetchrow(
        """
        SELECT pg_is_in_recovery() AS replica, current_setting('max_connections')::int AS most,
               (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend') AS used,
               current_setting('max_prepared_transactions') AS prepared,
               current_setting('server_encoding') AS encoding, current_setting('fsync') AS fsync,
               current_setting('full_page_writes') AS pages, current_setting('synchronous_commit') AS sync,
               pg_database_size(current_database()) AS size,
               (SELECT count(*) FROM pg_prepared_xacts WHERE prepared < clock_timestamp() - make_interval(secs => $1)
                AND database = current_database()) AS abandoned
        """,
        FORGOTTEN,
    )
    assert row is not None
    told: list[Finding] = []
    if row["replica"]:
        told.append(failure(name, "it is a read-only replica", "Let CONSILIUM_DATABASE_URL name the primary."))
    if major < OLDEST:
        told.append(failure(name, f"PostgreSQL {major} is too old", f"Upgrade it to {OLDEST} or later."))
    if row["encoding"] != "UTF8":
        told.append(failure(name, "its encoding is not UTF8", "Make the database with ENCODING 'UTF8'."))
    if row["used"] > 0.85 * row["most"]:
        do = "Raise max_connections, lower CONSILIUM_POOL_SIZE, or run fewer processes."
        told.append(warning(name, f"{row['used']} of {row['most']} connections are taken", do))
    if "off" in (row["fsync"], row["pages"], row["sync"]):
        do = "Set fsync, full_page_writes and synchronous_commit to on: else a power cut loses what was acknowledged."
        told.append(warning(name, "it does not keep what it acknowledges", do))
    if row["prepared"] == "0":
        do = "Set max_prepared_transactions (64) and restart it: Bundles that write to several services are refused."
        told.append(warning(name, "max_prepared_transactions is 0", do))
    if row["abandoned"]:
        what = f"{row['abandoned']} prepared transactions wait for more than {FORGOTTEN / 60:.0f} minutes"
        do = "Are a gateway and every service up? See docs/runbooks/PreparedTransactionOld.md; it holds locks."
        told.append(warning(name, what, do))
    summary = (
        f"PostgreSQL {major}, {row['size'] / 2**20:.0f} MiB, {row['used']} of {row['most']} connections taken, "
        f"max_prepared_transactions {row['prepared']}"
    )
    return told or [ok(name, summary)]


async def _clock(service: str, connection: asyncpg.Connection) -> Finding:
    before = time.time()
    theirs = (await connection.fetchval("SELECT clock_timestamp()")).timestamp()
    after = time.time()
    return clock_finding(f"clock {service}", theirs, before, after, "the database")


def clock_finding(check: str, theirs: float, before: float, after: float, whose: str, *, grain: float = 0.0) -> Finding:
    """How far the clock of ``whose`` (it said ``theirs``, seconds, in steps of ``grain``) is from ours."""
    off = max(before - theirs - grain, theirs - after, 0.0)
    do = "Keep both machines' clocks by NTP: tokens, timers and the order of events depend on them."
    if off > SKEW_BAD:
        return failure(check, f"{off:.0f} s between {whose} and this machine", do)
    if off > SKEW_TOLD:
        return warning(check, f"{off:.1f} s between {whose} and this machine", do)
    return ok(check, f"agrees with that of {whose}")


async def _schema(service: str, connection: asyncpg.Connection, migrations: Path) -> list[Finding]:
    name, newest = f"migrations {service}", head(migrations)
    try:
        found = await connection.fetchval("SELECT version_num FROM alembic_version")
    except asyncpg.UndefinedTableError:
        found = None
    if found is None:
        return [failure(name, "the database was never migrated", "Run the migrations.")]
    if found == newest:
        return [ok(name, f"at {newest}, the newest"), *await _outbox(service, connection)]
    revisions = {path.name.partition("_")[0] for path in (migrations / "versions").glob("*.py")}
    if found in revisions:
        return [failure(name, f"at {found}, behind {newest}", "Run the migrations; until then nothing is served.")]
    if newest is not None and found.isdigit() and found > newest:
        oldest = await connection.fetchval("SELECT max(oldest) FROM schema_floor")
        if not runs_on(found, newest, oldest):
            do = "Upgrade this one to the Consilium that migrated it, or restore the backup from before."
            return [failure(name, f"at {found}, which needs {oldest} or later; this one knows {newest}", do)]
        do = "A newer Consilium migrated it: upgrade this one, or restore the backup from before."
        return [warning(name, f"at {found}, ahead of {newest}", do), *await _outbox(service, connection)]
    return [failure(name, "at a revision that no Consilium knows", "Is this the database of something else?")]


async def _outbox(service: str, connection: asyncpg.Connection) -> list[Finding]:
    name = f"outbox {service}"
    row = await connection.fetchrow(
        """
        SELECT count(*) FILTER (WHERE parked_at IS NULL) AS pending, count(parked_at) AS parked,
               count(*) FILTER (WHERE parked_at IS NULL AND attempts > 0) AS returned,
               coalesce(extract(epoch FROM clock_timestamp() - min(created_at) FILTER (WHERE parked_at IS NULL)), 0)
                   AS age
        FROM outbox WHERE published_at IS NULL
        """
    )
    assert row is not None
    told: list[Finding] = []
    if row["returned"]:
        do = "Start the workers of every service: they make the queues that hear them; see docs/adr/0004-messaging.md."
        told.append(warning(name, f"{row['returned']} events came back: no queue hears them", do))
    elif row["age"] > WAITS_LONG:
        do = f"Is the worker of {service} up, and the broker? Its log says what it waits for."
        told.append(warning(name, f"{row['pending']} events wait, the oldest for {row['age']:.0f} s", do))
    if row["parked"]:
        do = "They are no CloudEvents: look at the rows of outbox with parked_at; something else wrote them."
        told.append(warning(name, f"{row['parked']} events were set aside as unreadable", do))
    return told or [ok(name, f"{row['pending']} events on their way")]
