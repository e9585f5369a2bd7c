"""What must hold before a release is built: each check gives the reasons against it, in words that say what to do."""

import subprocess
from collections.abc import Iterator
from datetime import date
from pathlib import Path

from tools.release import changelog
from tools.release.versions import Version, mentions, parse_version

BRANCH = "main"
GUIDE = "docs/operations/upgrade.md"


def objections(root: Path, version: Version, today: date) -> list[str]:
    """Why ``version`` cannot be released from what is in ``root``; empty where it can."""
    checks = (_source(root), _tags(root, version), _changelog(root, version, today), _repeated(root, version))
    return [reason for check in checks for reason in check]


def tag(version: Version) -> str:
    """The Git tag of ``version``."""
    return f"v{version}"


def git(root: Path, *arguments: str) -> str:
    """What Git answers. Raises ``subprocess.CalledProcessError``."""
    return subprocess.run(["git", *arguments], cwd=root, check=True, capture_output=True, text=True).stdout.strip()


def released_versions(root: Path) -> list[Version]:
    """The versions that have a tag, oldest first."""
    found = []
    for name in git(root, "tag", "--list", "v*").split():
        try:
            found.append(parse_version(name.removeprefix("v")))
        except ValueError:
            continue  # somebody's own tag
    return sorted(found)


def _source(root: Path) -> Iterator[str]:
    changed = git(root, "status", "--porcelain").splitlines()
    if changed:
        yield f"The working tree differs from its commit in {len(changed)} files: commit or remove them."
    branch = git(root, "branch", "--show-current")
    if branch != BRANCH:
        yield f"Releases are made on {BRANCH}, and this is {branch or 'no branch'}."


def _tags(root: Path, version: Version) -> Iterator[str]:
    released = released_versions(root)
    if version in released:
        yield f"{tag(version)} exists: a version is released once. `make release ARGS='prepare X.Y.Z'` for the next."
    elif released and version < released[-1]:
        yield f"{version} is below {released[-1]}, which is released."


def _changelog(root: Path, version: Version, today: date) -> Iterator[str]:
    try:
        sections = changelog.read(root)
    except changelog.ChangelogError as error:
        yield f"{changelog.FILE}: {error}."
        return
    mine = next((section for section in sections if section.version == version), None)
    if mine is None:
        yield f"{changelog.FILE} has no section for {version}: `make release ARGS='prepare {version}'` makes it."
        return
    if mine is not sections[1]:
        yield f"{changelog.FILE}: {version} is not the newest section."
    if mine.empty:
        yield f"{changelog.FILE} tells nothing about {version}."
    if mine.day is None or mine.day > today:
        yield f"{changelog.FILE}: the day of {version} has not come yet."
    if not sections[0].empty:
        yield f"{changelog.FILE} has unreleased entries above {version}, but their code would be in it."


def _repeated(root: Path, version: Version) -> Iterator[str]:
    if f"\n| {version} |" not in (root / GUIDE).read_text():
        yield f"{GUIDE} has no row for {version}: what it asks of operators, or nothing."
    for mention in mentions(root):
        if mention.version != str(version):
            yield f"{mention.path}:{mention.line} names {mention.version} instead of {version}."
