"""The table of cases of the safety rules: what is on record, the rule, what it must say, and by what source."""

from tests.unit.services.careplans.domain.safety.cases.doses import DOSES
from tests.unit.services.careplans.domain.safety.cases.exclusions import EXCLUSIONS
from tests.unit.services.careplans.domain.safety.cases.opioids_together import NALOXONE_CASES, TOGETHER
from tests.unit.services.careplans.domain.safety.cases.other_pairs import ASPIRIN, OTHERS
from tests.unit.services.careplans.domain.safety.cases.too_much_too_long import ACETAMINOPHEN, LONG

CASES = [*DOSES, *TOGETHER, *NALOXONE_CASES, *OTHERS, *ASPIRIN, *ACETAMINOPHEN, *LONG, *EXCLUSIONS]
