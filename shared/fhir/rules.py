"""What operators decide about writes, as values that an engine holds."""

from dataclasses import dataclass

from shared.settings import ServerSettings


@dataclass(frozen=True, slots=True)
class WriteRules:
    """See the settings of the same meaning."""

    if_match_types: frozenset[str] | None = None
    """Types of which a person's update needs If-Match; None: those whose kind says so."""
    deletes_several: bool = False
    """Whether a conditional delete may take along more than one."""


def rules_from_settings() -> WriteRules:
    """``CONSILIUM_IF_MATCH_TYPES`` and ``CONSILIUM_CONDITIONAL_DELETE``."""
    settings = ServerSettings()
    return WriteRules(settings.types_guarded, settings.conditional_delete == "multiple")
