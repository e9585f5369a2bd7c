"""Whatever callers try in whatever order, a Task only ever takes rows of the table, and an end is an end."""

import hypothesis.strategies as st
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from services.referrals.domain.states import ENTERED_IN_ERROR, TERMINAL, state_of, steps
from services.referrals.domain.transitions import TRANSITIONS, State
from shared.errors import ConsiliumError
from shared.security.caller import Caller
from tests.factories.referrals import (
    BACK_END,
    COORDINATOR,
    FOREIGN_EHR,
    OWNER,
    OWNING_EHR,
    PATIENT,
    REASON,
    REQUESTER,
    REQUESTING_EHR,
    STRANGER,
    reference,
    task,
)
from tests.unit.services.referrals.deciding import decide_task, told

Owner = dict[str, str] | None
STATES = sorted(
    {state for row in TRANSITIONS for state in (row.source, row.target)} | {State(ENTERED_IN_ERROR)}, key=str
)
CALLERS = [REQUESTER, OWNER, STRANGER, COORDINATOR, PATIENT, BACK_END, REQUESTING_EHR, OWNING_EHR, FOREIGN_EHR]
PEOPLE = [
    None,
    *map(reference, ("Practitioner/lind", "Practitioner/moss", "Practitioner/far", "Organization/mind-centre")),
]


class Referral(RuleBasedStateMachine):
    """One Task; every rule tries a write and keeps it if it was legal."""

    def __init__(self) -> None:
        super().__init__()
        self.task = task("draft", owner=None)
        self.path = [state_of(self.task)]

    @rule(
        caller=st.sampled_from(CALLERS),
        state=st.sampled_from(STATES),
        owner=st.sampled_from(PEOPLE),
        keep=st.booleans(),
    )
    def anywhere(self, caller: Caller, state: State, owner: Owner, keep: bool) -> None:
        self.attempt(caller, state, self.task.get("owner") if keep else owner)

    @rule(
        caller=st.sampled_from(CALLERS),
        pick=st.integers(min_value=0),
        owner=st.sampled_from(PEOPLE),
        keep=st.booleans(),
    )
    def onwards(self, caller: Caller, pick: int, owner: Owner, keep: bool) -> None:
        rows = [row for row in TRANSITIONS if row.source == state_of(self.task)]
        if rows:
            self.attempt(caller, rows[pick % len(rows)].target, self.task.get("owner") if keep else owner)

    def attempt(self, caller: Caller, state: State, owner: Owner) -> None:
        after = task(state.status, state.business, owner=owner, statusReason=REASON)
        try:
            decision = decide_task(self.task, after, caller)
        except ConsiliumError:
            return
        source = state_of(self.task)
        if state != source:
            assert steps(source, state)
            assert len(told(decision)) == 1
        assert caller not in (PATIENT, FOREIGN_EHR)
        self.task = after
        self.path.append(state)

    @invariant()
    def an_end_is_an_end(self) -> None:
        for source, target in zip(self.path, self.path[1:], strict=False):
            if source.status in TERMINAL:
                assert target in (source, State(ENTERED_IN_ERROR), State(ENTERED_IN_ERROR, source.business))


Referral.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestRandomWalks = Referral.TestCase
