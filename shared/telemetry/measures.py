"""The instruments of what every service does beside answering requests. Labels are names and codes of ours."""

from shared.telemetry.instruments import BOUNDS_S, counts, levels, timings

HANDLED = timings("consilium.message.duration", "One attempt at a message by its handler.", "queue", "outcome")
"""``outcome``: handled, failed."""
PUT_ASIDE = counts("consilium.message.put_aside", "What became of failed attempts.", "queue", "outcome")
"""``outcome``: retry, dead."""
FAILURES = counts("consilium.message.failures", "Failed attempts by reason.", "queue", "reason")
"""``reason``: an error category or a code of ours."""
FRESHNESS = timings(
    "consilium.event.age",
    "From the write that caused an event to its handled message.",
    "queue",
    bounds=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 3600.0),
)
PUBLISHED = counts("consilium.relay.published", "Events that the broker confirmed.", "database")
UNPUBLISHED = counts("consilium.relay.failures", "Events that it did not.", "database", "reason")
"""``reason``: unavailable, unroutable, rejected, unreadable."""

POOL_WAIT = timings(
    "db.client.connection.wait_time", "The wait for a connection of the pool.", "db.client.connection.pool.name"
)
KEY_LOADS = counts("consilium.keys.loads", "Loads of the keys that tokens are verified with.", "outcome")
"""``outcome``: loaded, failed."""
CHECK = levels("consilium.check.passing", "Readiness checks as last asked: 1 or 0.", "check", unit="{check}")
LOOP_LAG = timings("consilium.event_loop.lag", "How late the event loop came to a timer.", bounds=BOUNDS_S)

REPLICA_STALENESS = levels(
    "consilium.replica.staleness", "How old what a replica holds is at most.", "database", unit="s"
)
REPLICA_USABLE = levels("consilium.replica.usable", "Whether searches go there: 1 or 0.", "database", unit="{replica}")

RETENTION_DELETED = counts(
    "consilium.retention.deleted", "Rows that were let go of.", "database", "sweep", unit="{row}"
)
RETENTION_FAILURES = counts("consilium.retention.failures", "Sweeps that broke off.", "database", "sweep")
RETENTION_OVERDUE = levels("consilium.retention.overdue", "Since a sweep was due; or 0.", "database", "sweep", unit="s")

TRANSACTIONS_RECOVERED = counts(
    "consilium.transaction.recovered", "Parts of transactions over services that were left prepared.", "outcome"
)
"""``outcome``: committed, rolled-back."""

DATABASE_SIZE = levels("consilium.database.size", "Bytes on disk.", "database", unit="By")
DATABASE_OLDEST = levels("consilium.database.oldest_transaction", "Age of the oldest one.", "database", unit="s")
DATABASE_PREPARED = levels(
    "consilium.database.oldest_prepared", "Age of the oldest prepared transaction; or 0.", "database", unit="s"
)
DATABASE_CONNECTIONS = levels("consilium.database.connections", "Of everybody.", "database", unit="{connection}")
DATABASE_CONNECTIONS_MOST = levels(
    "consilium.database.connections.limit",
    "That the server takes.",
    "database",
    unit="{connection}",
)
DATABASE_ARCHIVE = levels(
    "consilium.database.archive.overdue",
    "Since its log was last archived, while that fails; or 0.",
    "database",
    unit="s",
)
DATABASE_CLOCK = levels("consilium.clock.skew", "The database server's clock less ours.", "database", unit="s")
DATABASE_TRANSACTIONS = counts(
    "consilium.database.transactions", "Transactions that ended.", "database", "outcome", unit="{transaction}"
)
"""``outcome``: committed, rolled-back."""
DATABASE_DEADLOCKS = counts("consilium.database.deadlocks", "Deadlocks found.", "database", unit="{deadlock}")
DATABASE_BLOCKS = counts("consilium.database.blocks", "Blocks asked for.", "database", "source", unit="{block}")
"""``source``: memory, disk."""
