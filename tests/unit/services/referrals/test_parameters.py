"""Whatever Parameters hold, they are an action with inputs or a refusal."""

from contextlib import suppress
from typing import Any

import hypothesis.strategies as st
from hypothesis import given

from services.referrals.api.parameters import asked_in, code_in
from services.referrals.domain.actions import Code
from services.referrals.domain.inputs import Name
from services.referrals.domain.order_actions import ORDER_ACTIONS
from shared.errors import ConsiliumError

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.sampled_from(["action", *Code, *Name]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
parameters = st.dictionaries(
    st.sampled_from(["name", "valueCode", "valueString", "valueReference", "part"]),
    anything | st.fixed_dictionaries({"reference": anything}),
)


@given(st.lists(parameters | anything, max_size=4) | anything)
def test_arbitrary_parameters_are_understood_or_refused(listed: Any) -> None:
    for read in (asked_in, code_in):
        with suppress(ConsiliumError):
            asked = read({"resourceType": "Parameters", "parameter": listed})
            assert asked in ORDER_ACTIONS if isinstance(asked, str) else asked.code in Code
