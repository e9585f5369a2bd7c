"""What of other services can be searched through from here, and what of ours can be from there.

Services do not import each other, so both stand here by name; a contract test compares them.
"""

from collections.abc import Mapping

COPIED: Mapping[str, str] = {
    **dict.fromkeys(
        (
            *("ServiceRequest", "Task", "Appointment", "HealthcareService"),
            *("Practitioner", "PractitionerRole", "Organization", "Location"),
        ),
        "referrals",
    ),
    "CommunicationRequest": "notifications",
}
"""Types of which copies are kept here, and their owners."""

TELLS = frozenset(
    """
    CarePlan CareTeam Condition DiagnosticReport DocumentReference Encounter Goal Patient Procedure
    QuestionnaireResponse RelatedPerson
    """.split()
)
"""Types of ours of which others keep copies."""
