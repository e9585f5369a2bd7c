"""Which kind of parameter takes which modifier."""

import itertools

import pytest

from shared.errors import Invalid
from shared.fhir.search.modifiers import require
from shared.fhir.search.parameters import parameters_of

EVERY = {
    *("missing", "not", "text", "in", "not-in", "above", "below", "of-type"),
    *("exact", "contains", "identifier", "Patient", "bogus", "Bogus", "iterate", "not_in", "Text"),
}
TAKEN = {
    ("Observation", "code"): {"missing", "not", "text", "in", "not-in", "above", "below"},
    ("Observation", "status"): {"missing", "not", "in", "not-in", "above", "below"},
    ("Patient", "identifier"): {"missing", "not", "text", "of-type"},
    ("Patient", "active"): {"missing", "not"},
    ("Patient", "phone"): {"missing", "not"},
    ("Patient", "name"): {"missing", "exact", "contains"},
    ("Observation", "date"): {"missing"},
    ("Observation", "value-quantity"): {"missing"},
    ("RiskAssessment", "probability"): {"missing"},
    ("Observation", "subject"): {"missing", "identifier", "Patient"},
    ("CarePlan", "instantiates-canonical"): {"missing", "Patient"},
    ("ValueSet", "url"): {"missing", "above", "below"},
    ("Patient", "_profile"): {"missing", "above", "below"},
    ("Patient", "_tag"): {"missing", "not", "text", "in", "not-in", "above", "below"},
    ("Patient", "_id"): {"missing", "not"},
    ("Patient", "_lastUpdated"): {"missing"},
}


@pytest.mark.parametrize(("where", "modifier"), list(itertools.product(TAKEN, sorted(EVERY))))
def test_a_modifier_is_taken_or_refused(where: tuple[str, str], modifier: str) -> None:
    parameter = parameters_of(where[0])[where[1]]
    if modifier in TAKEN[where]:
        require(parameter, modifier)
    else:
        with pytest.raises(Invalid):
            require(parameter, modifier)
