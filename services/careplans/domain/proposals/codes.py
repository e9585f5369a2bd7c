"""The extensions of a stored proposal and of what it became."""

_BASE = "https://consilium.care/fhir/StructureDefinition/"

PROPOSAL_FOR = _BASE + "proposal-for"
"""On a RequestGroup: the shared CarePlan that it is a proposal for."""
DECISION = _BASE + "action-decision"
"""On a stored proposal, one for every decision, in their order; its parts are the fields of ``recorded.Recorded``."""
REFUSED = _BASE + "referral-refused"
"""On a stored proposal: ``task``, and the ``code`` of why the referrals' service did not take the order."""
INSTANTIATES = _BASE + "activity-instantiates"
"""On an activity: the ActivityDefinition that it comes from, where it has no detail to say so."""
PROPOSAL = _BASE + "activity-proposal"
"""On an activity: the RequestGroup in which it was proposed."""
