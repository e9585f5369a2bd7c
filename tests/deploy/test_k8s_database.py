"""What a migration Job is told suffices to reach a database as its own user, who may make none."""

import os
import subprocess
import sys
from urllib.parse import urlsplit

import asyncpg

from tests.conftest import create_database
from tests.deploy.k8s.rendering import ROOT, overlay
from tests.deploy.k8s.settings import environment_of
from tests.deploy.k8s.workloads import workloads

PASSWORD = "p@ss/w:rd#%41{service}"
"""Everything that a URL would have to escape."""


async def test_a_migration_reaches_its_database_without_a_secret_in_a_url(postgres: str) -> None:
    service, user, database = "referrals", "cluster_referrals", "consilium_referrals"
    url = await create_database(postgres, database)
    admin = await asyncpg.connect(postgres)
    try:
        await admin.execute(f"CREATE ROLE {user} LOGIN PASSWORD '{PASSWORD}'")
        await admin.execute(f"ALTER DATABASE {database} OWNER TO {user}")
        assert [migrated(service, url, user) for _ in range(2)] == [0, 0]
        owned = await asyncpg.connect(url)
        assert await owned.fetchval("SELECT tableowner FROM pg_tables WHERE tablename = 'outbox'") == user
        await owned.close()
    finally:
        await admin.execute(f"DROP DATABASE IF EXISTS {database} WITH (FORCE)")
        await admin.execute(f"DROP ROLE IF EXISTS {user}")
        await admin.close()


def migrated(service: str, url: str, user: str) -> int:
    """The exit code of the Job's process, with the Job's environment; only the server is another one."""
    manifests = overlay("prod")
    job = next(one for one in workloads(manifests) if one.name.startswith(f"Job {service}-migrate"))
    told = dict(environment_of(job, manifests))
    # the test's server listens on a socket, without encryption
    there = f"postgresql://{urlsplit(told['CONSILIUM_DATABASE_URL']).path}?{urlsplit(url).query}"
    environment = {name: value for name, value in told.items() if not name.startswith("PGSSL")}
    environment |= {"CONSILIUM_DATABASE_URL": there, "PGUSER": user, "PGPASSWORD": PASSWORD}
    command = [sys.executable, "-m", f"services.{service}", *job.containers[0]["args"]]
    result = subprocess.run(command, env=os.environ | environment, cwd=ROOT, capture_output=True, timeout=60)
    return result.returncode
