"""``make release``: puts the version of pyproject.toml into ``dist/<version>``, says what to push (docs/releasing.md).

``python -m tools.release [--skip tests] [--rehearse]``, ``python -m tools.release prepare X.Y.Z``
"""

import argparse
import shutil
import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path

from tools.release import changelog
from tools.release.distributions import UV
from tools.release.making import Made, make
from tools.release.readiness import GUIDE, objections, tag
from tools.release.versions import Version, own_version, parse_version, write_version

ROOT = Path(__file__).parents[2]


def main() -> int:
    """The exit code: 0 where the release may be pushed (or was rehearsed), 1 where not, 2 for wrong usage."""
    parser = argparse.ArgumentParser(prog="make release", description="Build a release. Nothing is ever pushed.")
    parser.add_argument("--skip", choices=["tests"], help="do not run `make test` first: it is green for this commit")
    parser.add_argument("--rehearse", action="store_true", help="build in spite of objections, into dist/rehearsal")
    commands = parser.add_subparsers(dest="command")
    preparing = commands.add_parser("prepare", help="write a version everywhere, and its day into the changelog")
    preparing.add_argument("version", type=parse_version)
    options = parser.parse_args()
    today = datetime.now(UTC).date()
    if options.command == "prepare":
        return prepare(ROOT, options.version, today)
    return release(ROOT, today, tests=options.skip is None, rehearsal=options.rehearse)


def prepare(root: Path, version: Version, today: date) -> int:
    """Write ``version`` everywhere; what to do with it then is said."""
    try:
        text = changelog.released((root / changelog.FILE).read_text(), version, today)
    except changelog.ChangelogError as error:
        return _refuse([f"{changelog.FILE}: {error}."])
    (root / changelog.FILE).write_text(text)
    changed = write_version(root, version)
    subprocess.run([str(root / UV), "lock", "--quiet"], cwd=root, check=True)
    _say(f"{version} is written into {changelog.FILE}, uv.lock and {len(changed)} other files. Read them, fill in")
    _say(f"{GUIDE} what {version} asks of operators, commit, then `make release`.")
    return 0


def release(root: Path, today: date, *, tests: bool, rehearsal: bool) -> int:
    """Check, test, build and describe what ``HEAD`` is."""
    version = own_version(root)
    folder = root / "dist" / ("rehearsal" if rehearsal else str(version))
    against = objections(root, version, today)
    if folder.exists() and not rehearsal:
        against.append(f"{folder.relative_to(root)} is there already: remove it to build anew.")
    if against and not rehearsal:
        return _refuse(against)
    for line in against:
        _say(f"Against a release: {line}")
    if tests and subprocess.run(["make", "test"], cwd=root).returncode != 0:
        return _refuse(["The tests fail."])
    if rehearsal:
        shutil.rmtree(folder, ignore_errors=True)
    try:
        made = make(root, version, folder, rehearsal=rehearsal, say=_say)
    except subprocess.CalledProcessError as error:
        shutil.rmtree(folder)
        said = "\n".join(text.strip() for text in (error.stdout, error.stderr) if isinstance(text, str))
        return _refuse([f"{' '.join(map(str, error.cmd))} ended with {error.returncode}.\n{said}"])
    _report(made, root)
    if made.missing:
        _say("\nNOT BUILT: " + "; ".join(made.missing))
    if made.refused and not rehearsal:
        return _refuse(made.refused)
    for line in made.refused:
        _say(f"Against a release: {line}")
    if not tests:
        _say("\nTests were skipped: push only when `make test` was green for this commit.")
    if rehearsal:
        _say(f"\nA rehearsal: nothing in {folder.relative_to(root)} is to be handed out.")
        return 0
    _say("\n" + _next(made, version, folder.relative_to(root)))
    return 1 if made.missing else 0


def _report(made: Made, root: Path) -> None:
    _say(f"\n{made.folder.relative_to(root)}:")
    for path in sorted(made.folder.iterdir()):
        _say(f"  {_size(path.stat().st_size):>13}  {path.name}")
    for image in made.built:
        _say(f"  {_size(image.size):>13}  image {image.name}")


def _size(count: int) -> str:
    return f"{count / 1000:,.0f} kB" if count >= 1000 else f"{count} bytes"


def _next(made: Made, version: Version, folder: Path) -> str:
    """What a person does now."""
    registry = "REGISTRY/consilium"
    lines = [
        "Nothing was pushed. Read what is above, then:",
        f"  git tag --sign {tag(version)} --message 'Consilium {version}' && git push origin main {tag(version)}",
        *(f"  docker tag {image.name} {registry}/{image.service}:{version}" for image in made.built),
        *(f"  docker push {registry}/{image.service}:{version}" for image in made.built),
        f"  publish {folder}/* with NOTES.md as the text of the release; sign SHA256SUMS",
        "  write the digests that the registry answers with into deploy/k8s/overlays/prod",
    ]
    return "\n".join(lines)


def _refuse(reasons: list[str]) -> int:
    _say("No release:")
    for reason in reasons:
        _say(f"  - {reason}")
    return 1


def _say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
