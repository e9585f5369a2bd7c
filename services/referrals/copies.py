"""What of other services can be searched through from here, and what of ours can be from there.

Services do not import each other, so both stand here by name; a contract test compares them.
"""

from collections.abc import Mapping

COPIED: Mapping[str, str] = dict.fromkeys(
    (
        *("Patient", "RelatedPerson", "CareTeam", "CarePlan", "Goal", "Condition", "Encounter"),
        *("DiagnosticReport", "DocumentReference", "Procedure", "QuestionnaireResponse"),
    ),
    "careplans",
)
"""Types of which copies are kept here, and their owners."""

TELLS = frozenset(
    """
    Appointment HealthcareService Location Organization Practitioner PractitionerRole ServiceRequest Task
    """.split()
)
"""Types of ours of which others keep copies."""
