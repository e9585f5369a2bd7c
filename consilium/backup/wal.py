"""The two programs that PostgreSQL itself runs for its write-ahead log: ``put`` a file into the archive, ``get`` it.

https://www.postgresql.org/docs/18/continuous-archiving.html: ``put`` never replaces a file and ends with 0 only when
the file is on the disk; ``get`` ends with 1 where the archive has no such file, and above 125 (recovery gives up) where
it has a damaged one or lacks one in the middle. Only the standard library, so that it starts in some 20 ms without an
environment. The working folder is the cluster's: its identifier is the name of the archive's sub-folder, so that a new
cluster on an old archive disturbs nothing.
"""

import gzip
import os
import sys
import tempfile
import zlib
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

DONE, ABSENT, FAILED = 0, 1, 1
DAMAGED, GAP, UNREADABLE = 200, 201, 202
SEGMENT = 24
"""Characters of a segment's name: timeline, log and segment, eight hexadecimal digits each."""
SEGMENT_BYTES = 16 * 1024 * 1024
NEW = ".new-"


def put(archive: Path, source: Path, name: str) -> int:
    """Store ``source`` as ``name``; a file that is there already must be the same."""
    folder = shelf(archive, Path())
    folder.mkdir(parents=True, exist_ok=True)
    for left in folder.glob(f"{NEW}*"):
        left.unlink(missing_ok=True)  # only one archiver works for a cluster: a killed one left this
    content, target = source.read_bytes(), folder / f"{name}.gz"
    handle, written = tempfile.mkstemp(dir=folder, prefix=NEW)
    try:
        with os.fdopen(handle, "wb") as file:
            # mostly zeros after a switch: level 1 makes 16 MiB some kilobytes
            file.write(gzip.compress(content, 1, mtime=0))
            file.flush()
            os.fsync(file.fileno())
        os.link(written, target)
        _sync(folder)
    except FileExistsError:
        return DONE if gzip.decompress(target.read_bytes()) == content else FAILED
    finally:
        os.unlink(written)
    return DONE


def get(archive: Path, name: str, target: Path) -> int:
    """Fetch ``name`` to ``target``."""
    folder = shelf(archive, Path())
    try:
        content = gzip.decompress((folder / f"{name}.gz").read_bytes())
    except FileNotFoundError:
        return GAP if _later(folder, name) and not Path("pg_wal", name).exists() else ABSENT
    except (gzip.BadGzipFile, EOFError, zlib.error):
        return DAMAGED
    if not content:
        return DAMAGED  # no file of ours is empty, but an empty archive decompresses to nothing without complaint
    target.write_bytes(content)
    return DONE


def shelf(archive: Path, cluster: Path) -> Path:
    """The sub-folder of ``archive`` for the cluster in that folder. Raises ``OSError`` where there is none."""
    return archive / str(identifier(cluster))


def identifier(cluster: Path) -> int:
    """The cluster's system identifier: the first eight bytes of its control file."""
    with (cluster / "global" / "pg_control").open("rb") as file:
        return int.from_bytes(file.read(8), sys.byteorder)


def segment(timeline: int, place: int) -> str:
    """The name of the segment of ``timeline`` that holds the position ``place`` times 16 MiB."""
    per_log = (1 << 32) // SEGMENT_BYTES
    return f"{timeline:08X}{place // per_log:08X}{place % per_log:08X}"


def _later(folder: Path, name: str) -> bool:
    """Whether the archive has a later segment of the same timeline."""
    if len(name) != SEGMENT:
        return False
    segments = (path.name.removesuffix(".gz") for path in folder.glob(f"{name[:8]}*.gz"))
    return any(len(one) == SEGMENT and one > name for one in segments)


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def main(arguments: Sequence[str]) -> int:
    """``put ARCHIVE PATH NAME``, ``get ARCHIVE NAME PATH``, or ``check ARCHIVE``: whether we could put anything."""
    match arguments:
        case ["put", archive, path, name]:
            return put(Path(archive), Path(path), name)
        case ["get", archive, name, path]:
            return get(Path(archive), name, Path(path))
        case ["check", archive]:
            with tempfile.NamedTemporaryFile(dir=archive, prefix=NEW):
                return DONE
    return FAILED


if __name__ == "__main__":
    code = UNREADABLE if sys.argv[1:2] == ["get"] else FAILED
    with suppress(OSError):
        code = main(sys.argv[1:])
    sys.exit(code)
