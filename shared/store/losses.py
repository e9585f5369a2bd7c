"""What a lost database looks like to asyncpg: the connection ended, the server is going, busy, or not there at all."""

import asyncpg

DATABASE_LOSSES = (
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.TransactionRollbackError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # "cannot switch to state": a connection whose server ended it while it was idle
    asyncpg.ObjectNotInPrerequisiteStateError,  # the database takes no connections: it is being moved or restored
    OSError,
    TimeoutError,
)
"""Everything else that asyncpg raises is a bug and may end the process."""


def is_loss(error: BaseException) -> bool:
    """Whether trying again later may help."""
    # an argument that asyncpg cannot encode is an InterfaceError too
    return isinstance(error, DATABASE_LOSSES) and not isinstance(error, ValueError)
