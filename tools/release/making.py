"""A release from beginning to end: from the files of one commit into ``dist/<version>``, not from the working tree."""

import hashlib
import subprocess
import tarfile
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

from tools.release import changelog, distributions, images
from tools.release.inventory import inventory, listed
from tools.release.licences import EXCEPTIONS, refusals
from tools.release.packages import Package, installed
from tools.release.readiness import git
from tools.release.versions import Version, relabel

Say = Callable[[str], None]


@dataclass(slots=True)
class Made:
    """What a release consists of, and what is wrong with it or not in it."""

    folder: Path
    built: list[images.Image] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)


def make(root: Path, version: Version, folder: Path, *, rehearsal: bool, say: Say) -> Made:
    """Build everything of ``HEAD`` into ``folder``. What a rehearsal makes is called one, in files and images.

    Raises ``subprocess.CalledProcessError`` where a build fails."""
    revision = git(root, "rev-parse", "HEAD")
    at = datetime.fromtimestamp(int(git(root, "show", "--no-patch", "--format=%ct", "HEAD")), UTC)
    # a local version (https://packaging.python.org/en/latest/specifications/version-specifiers/): no index takes it
    label, tag = (f"{version}+rehearsal", "rehearsal") if rehearsal else (str(version), str(version))
    origin = images.Origin(label, revision, at)
    made = Made(folder)
    folder.mkdir(parents=True)
    with tempfile.TemporaryDirectory(prefix="consilium-release-") as scratch:
        source = exported(root, Path(scratch, "source"))
        if rehearsal:
            relabel(source, label)
        say("Python distributions")
        distributions.build(source, folder, int(at.timestamp()))
        found = installed(distributions.environment(source, Path(scratch, "environment")))
        _describe(made, "consilium", label, found, at)
        _build_images(made, source, tag, origin, say)
    (folder / "NOTES.md").write_text(_notes(root, version))
    (folder / "IMAGES.txt").write_text("".join(f"{image.name} {image.id}\n" for image in made.built))
    (folder / "SHA256SUMS").write_text(checksums(folder))
    return made


def exported(root: Path, target: Path) -> Path:
    """The files of ``HEAD``, and nothing that merely lies around, in ``target``."""
    target.mkdir(parents=True)
    archive = subprocess.run(["git", "archive", "HEAD"], cwd=root, check=True, capture_output=True).stdout
    with tarfile.open(fileobj=BytesIO(archive)) as files:
        files.extractall(target, filter="data")
    return target


def checksums(folder: Path) -> str:
    """Lines for ``sha256sum --check``, of every file in ``folder`` but this one."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != "SHA256SUMS")
    return "".join(
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(folder).as_posix()}\n" for path in files
    )


def _build_images(made: Made, source: Path, tag: str, origin: images.Origin, say: Say) -> None:
    program = images.engine()
    if program is None:
        made.missing.append("the images and their inventories: no container engine answers (docker or podman)")
        return
    for service in images.SERVICES:
        say(f"image of {service}")
        image = images.build(program, source, service, tag, origin)
        made.built.append(image)
        if image.stand_in:
            made.refused.append(f"{image.name} stands on a stand-in for its base image: never for production")
        packages = installed(images.contents(program, image))
        _describe(made, f"consilium-{service}", origin.version, packages, origin.at, image.id)


def _describe(
    made: Made, subject: str, version: str, packages: list[Package], at: datetime, image: str | None = None
) -> None:
    made.refused += [line for line in refusals(packages) if line not in made.refused]
    text = inventory(subject, version, packages, at, image=image)
    (made.folder / f"{subject}-{version}.cdx.json").write_text(text)
    rows = (f"{url}\t{number}\t{licence}\n" for url, number, licence in listed(text))
    reasons = (f"# {one.name}: {EXCEPTIONS[one.name]}\n" for one in packages if one.name in EXCEPTIONS)
    (made.folder / f"{subject}-{version}.licences.tsv").write_text("".join([*reasons, *rows]))


def _notes(root: Path, version: Version) -> str:
    text = (root / changelog.FILE).read_text()
    try:
        return changelog.notes(text, version)
    except changelog.ChangelogError:
        return "Not released.\n"
