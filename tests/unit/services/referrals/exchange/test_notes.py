"""The notes of both sides: none is lost, none is told twice, and both have them in one order."""

from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given

from services.referrals.domain.exchange_news import heard, versions
from services.referrals.domain.exchange_package import Source, Terms, notes_of_both, task_with_news
from services.referrals.domain.exchange_references import translated
from services.referrals.domain.exchange_states import plan
from services.referrals.domain.states import state_of
from tests.factories.referrals import task

WE, THEY = "https://we.example/fhir", "https://they.example/fhir"
TERMS = Terms(WE, THEY)
WORDS = st.lists(st.sampled_from(["called", "no answer", "called again"]), max_size=4)


def notes(*texts: str, author: str = "Practitioner/moss") -> dict[str, Any]:
    return {"note": [{"text": text, "authorReference": {"reference": author}} for text in texts]}


@pytest.mark.parametrize(
    ("first", "second", "both"),
    [
        ((), (), ()),
        (("a",), (), ("a",)),
        ((), ("b",), ("b",)),
        (("a",), ("a",), ("a",)),
        (("a", "a"), ("a",), ("a", "a")),
        (("a",), ("a", "a"), ("a", "a")),
        (("a", "b"), ("b", "c"), ("a", "b", "c")),
        (("b", "a"), ("a", "b"), ("b", "a")),
    ],
)
def test_a_note_stands_as_often_as_on_the_side_that_has_it_more_often(
    first: tuple[str, ...], second: tuple[str, ...], both: tuple[str, ...]
) -> None:
    assert notes_of_both(notes(*first), notes(*second)) == notes(*both)["note"]


@given(before=WORDS, ours=WORDS, theirs=WORDS)
def test_both_sides_end_with_the_same_notes_in_one_order(before: list[str], ours: list[str], theirs: list[str]) -> None:
    state = ("in-progress", "5.1")
    here = task(*state, **(notes(*before, author=f"{THEY}/Practitioner/moss")))
    here["note"] += notes(*ours, author="Practitioner/ours")["note"]
    there = task(*state, **notes(*before, *theirs), meta={"versionId": "2"})
    told = task_with_news(there, Source(here, None), TERMS, None)
    way = plan(state_of(here), state_of(here), state_of(told))
    after = [*versions(here, heard(told), way, TERMS)][-1:] or [here]
    assert after[0].get("note", []) == translated(told.get("note", []), THEY, WE)
    assert len(after[0].get("note", [])) == len(before) + len(ours) + len(theirs)
