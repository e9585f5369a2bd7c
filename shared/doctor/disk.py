"""Room on the disk."""

import shutil
from pathlib import Path

from shared.doctor.finding import Finding, failure, ok, warning

SHORT, OUT = 2 * 2**30, 256 * 2**20
"""Bytes below which it is said, below which it is bad."""


def room(check: str, folder: Path, *, short: int = SHORT, out: int = OUT) -> Finding:
    """How much is free where ``folder`` is, or will be."""
    there = next((path for path in (folder, *folder.resolve().parents) if path.exists()), Path("/"))
    try:
        free = shutil.disk_usage(there).free
    except OSError:
        return failure(check, "the folder cannot be looked at", "Who may read it? It must be this process's user.")
    do = "Make room, or move it to a larger disk: a full disk stops every write."
    if free < out:
        return failure(check, f"{free / 2**20:.0f} MiB are free", do)
    if free < short:
        return warning(check, f"{free / 2**20:.0f} MiB are free", do)
    return ok(check, f"{free / 2**30:.0f} GiB are free")
