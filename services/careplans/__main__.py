"""``python -m services.careplans api|worker|migrate|doctor|catalogue``."""

import sys

from services.careplans.main import SERVICE
from shared.process.command import commands_of, run


async def catalogue() -> None:
    """Load the treatment catalogue, as a worker does at its start, and say what that did."""
    from services.careplans.app.catalogue import load_catalogue, packaged
    from shared.process.opening import let_go, opened
    from shared.process.settings import ProcessSettings
    from shared.service import engine_of

    pool = await opened(SERVICE.name, ProcessSettings())
    try:
        print(await load_catalogue(engine_of(SERVICE, pool), packaged()))
    finally:
        await let_go(pool)


sys.exit(run(commands_of(SERVICE) | {"catalogue": catalogue}, sys.argv[1:]))
