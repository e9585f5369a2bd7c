"""What a lost database looks like to asyncpg. Everything else that it raises is a bug and may end the process."""

import asyncpg

DATABASE_LOSSES = (
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.TransactionRollbackError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # "cannot switch to state": a connection whose server ended it while it was idle
    OSError,
    TimeoutError,
)
