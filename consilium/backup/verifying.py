"""Is a base backup whole? Every file against its checksum in the manifest, the log read from end to end.

https://www.postgresql.org/docs/18/backup-manifest-format.html. What pg_verifybackup does: the wheel's own one of
PostgreSQL 18 dies of a segmentation fault whatever it is asked.
"""

import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from consilium.backup.programs import ProgramFailed, run
from shared.process.mistakes import Mistake

MANIFEST = "backup_manifest"
LOG_FOLDER = "pg_wal"
CHANGING = {MANIFEST, "postgresql.auto.conf", "recovery.signal"}
"""What may differ from the manifest: itself, and what a recovery is told with."""
SEAL = re.compile(rb'"Manifest-Checksum": "([0-9a-f]{64})"\}\n?$')


def verify(cluster: Path) -> None:
    """Read all of the base backup in ``cluster``. Raises ``Mistake`` where anything is missing, changed or too much."""
    manifest = read_manifest(cluster)
    found = {str(path.relative_to(cluster)) for path in _files(cluster)}
    expected = {name_of(entry): entry for entry in manifest["Files"]}
    for name, entry in expected.items():
        if name not in found:
            raise Mistake("The backup is damaged: a file is missing.")
        if name not in CHANGING and not _same(cluster / name, entry):
            raise Mistake("The backup is damaged: a file does not match its checksum.")
    if any(not name.startswith(f"{LOG_FOLDER}/") for name in found - expected.keys() - CHANGING):
        raise Mistake("The backup is damaged: there is a file that does not belong to it.")
    for span in manifest["WAL-Ranges"]:
        _read_log(cluster, span)


def read_manifest(cluster: Path) -> dict[str, Any]:
    """The manifest of the base backup. Raises ``Mistake`` where it is not the one that was written with it."""
    try:
        content = (cluster / MANIFEST).read_bytes()
    except OSError as error:
        raise Mistake("The backup is damaged: its manifest is missing.") from error
    seal = SEAL.search(content)
    # the last line is not part of what it seals
    if seal is None or hashlib.sha256(content[: content.rindex(b"\n", 0, -1) + 1]).hexdigest() != seal[1].decode():
        raise Mistake("The backup is damaged: its manifest does not match its own checksum.")
    manifest: dict[str, Any] = json.loads(content)
    return manifest


def name_of(entry: dict[str, Any]) -> str:
    """The path of a file in the manifest, below the cluster's folder."""
    encoded = entry.get("Encoded-Path")
    return str(entry["Path"]) if encoded is None else bytes.fromhex(encoded).decode(errors="surrogateescape")


def _files(cluster: Path) -> Iterator[Path]:
    return (path for path in cluster.rglob("*") if path.is_file())


def _same(path: Path, entry: dict[str, Any]) -> bool:
    if path.stat().st_size != entry["Size"]:
        return False
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, str(entry["Checksum-Algorithm"]).lower()).hexdigest()
    return digest == str(entry["Checksum"])


def _read_log(cluster: Path, span: dict[str, Any]) -> None:
    arguments = [f"--start={span['Start-LSN']}", f"--end={span['End-LSN']}", f"--timeline={span['Timeline']}"]
    try:
        run("pg_waldump", "--quiet", f"--path={cluster / LOG_FOLDER}", *arguments)
    except ProgramFailed as error:
        raise Mistake("The backup is damaged: its log cannot be read to the end.") from error
