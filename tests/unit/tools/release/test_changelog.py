"""CHANGELOG.md, and what is refused in it."""

from datetime import date
from pathlib import Path

import pytest

from tools.release import changelog
from tools.release.versions import Version, own_version

PROJECT = Path(__file__).parents[4]
TEXT = """# Changelog

All notable changes.

## [Unreleased]

### Added
- One thing, told
  on two lines.

## [0.2.0] - 2026-02-03 [YANKED]

### Changed
- Another.

### Security
- A third.

## [0.1.0] - 2026-01-02

### Added
- The first.

[0.1.0]: https://example.org/compare
"""


def test_the_projects_changelog_has_its_form_and_is_not_ahead_of_its_version() -> None:
    sections = changelog.read(PROJECT)
    newest = max((section.version for section in sections if section.version), default=Version(0, 0, 0))
    assert newest <= own_version(PROJECT)


def test_sections_have_version_day_and_entries() -> None:
    unreleased, second, first = changelog.parse(TEXT)
    assert unreleased.groups == {"Added": ["One thing, told on two lines."]}
    assert (unreleased.version, unreleased.day, unreleased.empty) == (None, None, False)
    assert (second.version, second.day, second.yanked) == (Version(0, 2, 0), date(2026, 2, 3), True)
    assert second.groups == {"Changed": ["Another."], "Security": ["A third."]}
    assert first.groups == {"Added": ["The first."]}


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("## [Unreleased]\n\n### Added", "## [0.3.0] - 2026-03-01\n\n### Added", "expected ## [Unreleased] first"),
        ("## [0.2.0] - 2026-02-03 [YANKED]", "## 0.2.0", "expected"),
        ("## [0.2.0] - 2026-02-03", "## [0.2.0] - 2026-02-31", "line 11"),
        ("## [0.2.0] -", "## [0.2] -", "MAJOR.MINOR.PATCH"),
        ("## [0.2.0] - 2026-02-03", "## [0.1.0] - 2026-02-03", "newest first"),
        ("2026-02-03", "2026-01-01", "newest first"),
        ("### Changed", "### Improved", "one heading each"),
        ("### Changed\n- Another.\n\n### Security", "### Security\n- Another.\n\n### Changed", "in the order"),
        ("- Another.", "Another.", "neither"),
        ("### Added\n- The", "- The", "neither"),
    ],
)
def test_what_is_not_of_the_form_is_refused_with_its_line(old: str, new: str, said: str) -> None:
    assert old in TEXT
    with pytest.raises(changelog.ChangelogError, match=r"line \d+") as refused:
        changelog.parse(TEXT.replace(old, new))
    assert said in str(refused.value)


def test_notes_are_the_lines_of_one_release() -> None:
    assert changelog.notes(TEXT, Version(0, 2, 0)) == "### Changed\n- Another.\n\n### Security\n- A third.\n"
    with pytest.raises(changelog.ChangelogError):
        changelog.notes(TEXT, Version(9, 0, 0))


def test_what_was_unreleased_becomes_a_release() -> None:
    text = changelog.released(TEXT, Version(0, 3, 0), date(2026, 3, 4))
    unreleased, new, *others = changelog.parse(text)
    assert unreleased.empty
    assert (new.version, new.day, list(new.groups)) == (Version(0, 3, 0), date(2026, 3, 4), ["Added"])
    assert others == changelog.parse(TEXT)[1:]
    with pytest.raises(changelog.ChangelogError, match="nothing is unreleased"):
        changelog.released(text, Version(0, 4, 0), date(2026, 3, 5))
