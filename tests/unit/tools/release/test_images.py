"""What an image's file system tells, read as the stream that an engine exports."""

import io
import tarfile

from tools.release.images import telling_files


def stream(members: list[tuple[str, bytes | None, str]]) -> io.BytesIO:
    """A tar archive of (path, content or None for a symbolic link, target of the link)."""
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w") as archive:
        for path, content, link in members:
            about = tarfile.TarInfo(path)
            if content is None:
                about.type, about.linkname = tarfile.SYMTYPE, link
            else:
                about.size = len(content)
            archive.addfile(about, None if content is None else io.BytesIO(content))
    target.seek(0)
    return target


def test_files_that_tell_something_are_read_and_shared_copyrights_are_followed() -> None:
    exported = stream(
        [
            ("./var/lib/dpkg/status", b"Package: a", ""),
            ("usr/share/doc/libgcc-s1", None, "gcc-12-base"),
            ("usr/share/doc/lost", None, "../nowhere"),
            ("usr/share/doc/gcc-12-base/copyright", b"License: GPL-3", ""),
            ("usr/bin/perl", b"x" * 1000, ""),
            ("usr/local/bin/python3", None, "python3.12"),
        ]
    )
    with tarfile.open(fileobj=exported, mode="r|") as archive:
        assert telling_files(archive) == {
            "var/lib/dpkg/status": b"Package: a",
            "usr/share/doc/gcc-12-base/copyright": b"License: GPL-3",
            "usr/share/doc/libgcc-s1/copyright": b"License: GPL-3",
        }
