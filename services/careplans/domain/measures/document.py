"""``docs/measures.md``, written from the tables: ``python -m services.careplans.domain.measures.document``."""

from collections.abc import Iterable, Iterator

from services.careplans.domain.measures.catalogue import MEASURES, VERSION
from services.careplans.domain.measures.measure import Band, Direction, Measure, Threshold
from services.careplans.domain.measures.recency import REVIEW_WITHIN, URGENT_WITHIN
from services.careplans.domain.measures.recency import SOURCE as RECENCY
from services.careplans.domain.measures.response import Response
from services.careplans.domain.measures.stepped_care import CONSECUTIVE, OFF_TARGET, ON_TARGET, SOURCE

_HEAD = """# Outcome measures

Written from the tables in `services/careplans/domain/measures` (version {version}); do not edit. A test compares it
with them. The content is advisory and needs a clinician's signature before clinical use. *Unverified*: the figure is
commonly cited so, and was not read in the publication or its abstract.

LOINC is copyright of the Regenstrief Institute and the LOINC Committee; see <https://loinc.org/license>.
"""

_SCORED = """
## From answers to a score

A QuestionnaireResponse that is stored as `completed` or `amended` and is about a Patient leads to one Observation for
each measure that it holds, in the same transaction, under an id made from the response's (US Core screening and
assessment; `derivedFrom` is the response). It follows its response:

| response | its Observation |
|---|---|
| `completed`, `amended` | made as `final`; `amended` where the score, or what it says beside it, changes |
| `in-progress` | none; one that is there becomes `preliminary` |
| `stopped` | none; one that is there becomes `cancelled` |
| `entered-in-error`, or the measure is not in it any more | one that is there becomes `entered-in-error` |
| deleted | one that is there becomes `entered-in-error` and refers to nothing |

Items are recognised by `linkId` in our own Questionnaires; in others by a LOINC code as the last part of `linkId`, or
by `definition`: a LOINC URL, or `https://consilium.care/fhir/CodeSystem/outcome-measure-item#` and the item (`isi-3`).
A total that a response states counts where it has no items of that measure. A response that shares only some items
with a measure (PHQ-2, PHQ-8) is none of it.

No response is refused because it cannot be scored. An answer that is out of range, of an unknown code or given twice
differently is not understood, and nothing stands in for it: the Observation has a `dataAbsentReason` (`unknown` for
unanswered items, `error` for what is not understood) and a component for each such item. A prorated score has a note.

**PHQ-9 item 9.** Any answer but "not at all", in a response of any status but `entered-in-error` or in an Observation
of LOINC 44260-8, is told once as `safety.self-harm-item-positive.v1` ([events](events.md)); so is one that cannot be
read. Coordinators and the care team see it in their stream, whatever they have muted. An answer that was surely given
more than {urgent} days before it came in, as of an imported record, is no matter of today: it is told as
`safety.self-harm-item-on-record.v1`, which is not urgent, and stands on the plan board. What has no date is taken for
news; a day, a month or a year counts to its end. Source of the limit: {recency}.
"""

_CLASSES = """
## Classes of response

Latest against baseline; the baseline is the last score before the care began, or else the first. The first that holds
of {classes}. `minimal` is a change that matters and is no response yet; `deteriorated` is a change that matters in the
wrong direction. A measure without a published threshold has no class.

Scores count where their Observation is `final`, `amended` or `corrected`, in the measure's unit, or in none; with
another unit they are refused and named, as is what has no time or is out of range.
"""

_STEPS = """
## Stepped care

The last {consecutive} scores against the target, which is the patient's own or, where one is published, the measure's:
all miss it, step up, unless a change that matters lies between them; all keep it, step down; else hold. Without a
target or with fewer scores: hold, and what is missing is said. The next review is due {off} weeks after a score that
misses the target, or that has none, and {on} weeks after one that keeps it. A proposal is a draft for people.

Source: {source}.

| measure | target | source |
|---|---|---|
"""

_REVIEWS = """
## Reviews

Where the patient has a shared plan, the latest score of a measure leads to `outcome.review-due.v1`, in the same
transaction, when it was taken no more than {within} weeks before it came in, and

- `band-crossed`: it is in another band than the score before it; a first score crosses none;
- `response-changed`: the class of response is another than before (that the first two scores do not differ is no news);
- `target-missed`: it misses the target so often in a row that the number is a multiple of {consecutive}, without a
  change that matters between the last {consecutive}.

The same scores again and what is withdrawn lead to none; one that is older than the latest can only be one more that
misses the target. Coordinators and the care team
are told; who may be told what is theirs to set.
"""

_SHIPPED = """
## Which Questionnaires are shipped

In `services/careplans/content/questionnaires`. A worker of careplans stores them at its start, with the treatment
catalogue; what people changed or deleted of them stays so. Of the others, scores come as Observations, or as responses
with item codes; their texts are not here, because they may not be shipped, or nobody has verified that they may.
"""


def render() -> str:
    """The whole document, as Markdown."""
    classes = ", ".join(f"`{each}`" for each in Response)
    return "".join(
        (
            _HEAD.format(version=VERSION),
            "\n",
            _table(("measure", "code", "unit", "range", "better", "source"), map(_measure, MEASURES)),
            "\n## Bands\n\n",
            _table(("measure", "bands", "source"), (_bands(each) for each in MEASURES if each.bands)),
            _SCORED.format(urgent=URGENT_WITHIN.days, recency=RECENCY),
            "\n",
            _table(("measure", "missing items"), ((each.title, each.completeness) for each in MEASURES)),
            _CLASSES.format(classes=classes),
            "\n",
            _table(("measure", "substantial", "responder", "change that matters"), _thresholds()),
            _STEPS.format(consecutive=CONSECUTIVE, off=OFF_TARGET.days // 7, on=ON_TARGET.days // 7, source=SOURCE),
            "".join(_targets()),
            _REVIEWS.format(within=REVIEW_WITHIN.days // 7, consecutive=CONSECUTIVE),
            _SHIPPED,
            "\n",
            _table(
                ("measure", "shipped", "why"), ((each.title, _yes(each.shipped), each.licence) for each in MEASURES)
            ),
            "\n## Notes\n\n",
            "".join(f"- {each.title}: {each.note}\n" for each in MEASURES if each.note),
        )
    )


def _measure(measure: Measure) -> tuple[str, ...]:
    code = f"LOINC {measure.code.code}" if measure.code else f"local `{measure.id}`"
    better = "lower" if measure.direction is Direction.LOWER else "higher"
    return measure.title, code, f"`{measure.unit}`", f"{measure.low} to {measure.high}", better, measure.source.cited


def _bands(measure: Measure) -> tuple[str, ...]:
    return measure.title, ", ".join(map(_band, measure.bands)), str(measure.bands_source)


def _band(band: Band) -> str:
    return f"{band.code} {'above' if band.above else 'from'} {band.start}"


def _thresholds() -> Iterator[tuple[str, ...]]:
    for measure in MEASURES:
        yield measure.title, *map(_threshold, (measure.substantial, measure.responder, measure.matters))


def _threshold(threshold: Threshold | None) -> str:
    return "none" if threshold is None else f"{threshold}: {threshold.source}"


def _targets() -> Iterator[str]:
    for measure in MEASURES:
        if measure.goal is not None:
            sign = "at most" if measure.direction is Direction.LOWER else "at least"
            yield f"| {measure.title} | {sign} {measure.goal.value} | {measure.goal.source} |\n"


def _yes(shipped: bool) -> str:
    return "yes" if shipped else "no"


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    lines = [tuple(head), *map(tuple, rows)]
    return "".join(
        f"| {' | '.join(line)} |\n" + ("|" + "---|" * len(line) + "\n" if place == 0 else "")
        for place, line in enumerate(lines)
    )


if __name__ == "__main__":
    print(render(), end="")
