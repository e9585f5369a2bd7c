"""The Python side of a release: wheel, source distribution, and what an installation of them brings along."""

import os
import subprocess
from pathlib import Path

from tools.release.packages import Files, telling

UV = "scripts/uv.sh"
BUILDER = Path(__file__).with_name("build-constraints.txt")
"""The build backend by version and hash: the same commit gives the same wheel."""


def build(source: Path, target: Path, epoch: int) -> list[Path]:
    """Wheel and source distribution of the files in ``source``, dated ``epoch`` (Unix seconds).

    Raises ``subprocess.CalledProcessError``."""
    _uv(
        source,
        *("build", "--quiet", "--wheel", "--sdist", "--out-dir", str(target)),
        *("--build-constraint", str(BUILDER), "--require-hashes", "--no-create-gitignore"),
        SOURCE_DATE_EPOCH=str(epoch),
    )
    return sorted([*target.glob("*.whl"), *target.glob("*.tar.gz")])


def environment(source: Path, folder: Path) -> Files:
    """The files that tell what a locked installation with the ``consilium`` command holds; it is made in ``folder``."""
    _uv(
        source,
        *("sync", "--quiet", "--locked", "--no-dev", "--extra", "all-in-one", "--no-install-project"),
        UV_PROJECT_ENVIRONMENT=str(folder),
    )
    return collected(folder)


def collected(folder: Path) -> dict[str, bytes]:
    """The files below ``folder`` that tell what is installed there."""
    found = {}
    for path in folder.rglob("*"):
        name = path.relative_to(folder).as_posix()
        # a link leads out of the installation, to the interpreter of this machine
        if telling(name) and path.is_file() and not path.is_symlink():
            found[name] = path.read_bytes()
    return found


def _uv(source: Path, *arguments: str, **variables: str) -> None:
    # VIRTUAL_ENV would only make uv wonder
    inherited = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
    subprocess.run([str(source / UV), *arguments], cwd=source, check=True, env={**inherited, **variables})
