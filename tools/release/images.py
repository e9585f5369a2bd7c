"""The images of the services: built from a commit by the container engine that is here, read without running them."""

import json
import os
import shutil
import subprocess
import tarfile
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from tools.release.packages import telling

SERVICES = ("referrals", "careplans", "notifications", "gateway")
ENGINES = ("docker", "podman")
STAND_IN = "consilium.stand-in"
"""The label of base images that were made where none could be pulled (deploy/docker/stand-ins.sh)."""


@dataclass(frozen=True, slots=True)
class Image:
    """A built image. ``size`` in bytes, uncompressed."""

    service: str
    name: str
    id: str
    size: int
    stand_in: bool


@dataclass(frozen=True, slots=True)
class Origin:
    """What an image's labels say: version, commit, and the commit's time."""

    version: str
    revision: str
    at: datetime


def engine() -> str | None:
    """The container engine whose daemon answers; None where there is none."""
    for name in ENGINES:
        if shutil.which(name) and subprocess.run([name, "info"], capture_output=True).returncode == 0:
            return name
    return None


def build(program: str, context: Path, service: str, tag: str, origin: Origin) -> Image:
    """Build the image of ``service`` from the files in ``context``. Raises ``subprocess.CalledProcessError``."""
    name = f"consilium/{service}:{tag}"
    arguments = {
        "SERVICE": service,
        "VERSION": origin.version,
        "REVISION": origin.revision,
        "CREATED": origin.at.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    options = [option for key, value in arguments.items() for option in ("--build-arg", f"{key}={value}")]
    environment = {**os.environ, "SOURCE_DATE_EPOCH": str(int(origin.at.timestamp()))}
    if program == "docker" and _lacks_buildx():
        environment["DOCKER_BUILDKIT"] = "0"
    command = [program, "build", "--quiet", *options, "--tag", name, str(context)]
    # an engine talks much; what it said is worth reading only where it failed
    subprocess.run(command, check=True, env=environment, capture_output=True, text=True)
    about = json.loads(_output(program, "image", "inspect", name))[0]
    labels = about["Config"].get("Labels") or {}
    return Image(service, name, about["Id"], about["Size"], STAND_IN in labels)


def contents(program: str, image: Image) -> dict[str, bytes]:
    """The files in ``image`` that tell what is installed. Nothing in it is run, so it needs no shell."""
    container = _output(program, "create", image.name).strip()
    try:
        exporting = subprocess.Popen([program, "export", container], stdout=subprocess.PIPE)
        assert exporting.stdout is not None
        with exporting.stdout as stream, tarfile.open(fileobj=stream, mode="r|") as archive:
            files = telling_files(archive)
        if exporting.wait() != 0:
            raise subprocess.CalledProcessError(exporting.returncode, "export")
        return files
    finally:
        _output(program, "rm", container)


def telling_files(archive: tarfile.TarFile) -> dict[str, bytes]:
    """The files that tell what is installed, by path; a copyright file also under every name that links to it."""
    files: dict[str, bytes] = {}
    shared_folders: dict[str, str] = {}
    for member in archive:
        path = member.name.removeprefix("./")
        if member.issym() and path.startswith("usr/share/doc/"):
            # packages of one source share a folder of documents
            shared_folders[path] = os.path.normpath(os.path.join(os.path.dirname(path), member.linkname))
        elif member.isfile() and telling(path):
            content = archive.extractfile(member)
            assert content is not None  # a regular file has content
            files[path] = content.read()
    for folder, target in shared_folders.items():
        if f"{target}/copyright" in files:
            files[f"{folder}/copyright"] = files[f"{target}/copyright"]
    return files


def _lacks_buildx() -> bool:
    return subprocess.run(["docker", "buildx", "version"], capture_output=True).returncode != 0


def _output(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout
