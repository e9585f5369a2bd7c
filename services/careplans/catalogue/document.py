"""``docs/treatment-catalogue.md``, written from the sources: ``python -m services.careplans.catalogue.document``."""

from collections.abc import Iterable, Iterator

from services.careplans.catalogue.fhir import DISCIPLINES
from services.careplans.catalogue.reading import catalogue
from services.careplans.catalogue.schema import Action, Catalogue, Group, Hazard, Plan, Signs, Treatment
from services.careplans.catalogue.variables import render_variables
from services.careplans.domain.applying.medicine_classes import CODES, UNVERIFIED

_HEAD = """# The treatment catalogue

Written from the sources in `services/careplans/catalogue`; do not edit. A test compares it with them.

Version {version}, read through on {reviewed}. **No clinician has signed it off: have it reviewed before use.** It
informs and never orders: a prescriber chooses a medicine and its dose for one patient, and a plan is agreed on
together. On screens it says "chronic pain with psychological factors"; "psychogenic pain" is a synonym only.

Each item is an `ActivityDefinition`, each plan a `PlanDefinition`, at `https://consilium.care/fhir/<type>/<id>`, in the
shared record: `GET /fhir/ActivityDefinition?topic=medication`, `GET /fhir/PlanDefinition?url=...`. The worker of
`careplans` loads them at its start (`python -m services.careplans catalogue` does it by hand). It writes only what is
absent or older than its release. What was deleted, has another `url` under the same id or a `version` that is no
number stays as people left it; to change an item for good, give the copy an id and a `url` of its own.

SNOMED CT codes are verified, items without one have a code of ours. RxNorm codes marked * are not verified.
Contraindications marked (record) are looked for in the record, the others have to be asked.
"""

_PLANS = """
## Plans

A condition is FHIRPath over the variables below. Applied to a patient, every action of a plan is one of these, each
with its reason, the inputs with their references and dates, and the source:

| outcome | meaning |
|---|---|
| `proposed` | the conditions hold; cautions are named, and contraindications that are not known |
| `not-indicated` | a condition does not hold; "why not" is said |
| `unknown` | data is missing that would decide; what is needed is said |
| `declined` | indicated, and the patient does not want it; their reason is said |
| `contraindicated` | indicated, and the record holds a contraindication |

What is proposed is a draft: contained requests with intent `proposal` in a RequestGroup, in a CarePlan. All actions are
accounted for in its extensions `https://consilium.care/fhir/StructureDefinition/action-considered`, and missing data in
`proposal-needs`.
"""


def render() -> str:
    """The whole document, as Markdown."""
    found = catalogue()
    return "".join(
        (
            _HEAD.format(version=found.version, reviewed=found.reviewed.isoformat()),
            *(part for group in found.groups for part in _group(group)),
            _PLANS,
            *(part for plan in found.plans for part in _plan(plan, found)),
            render_variables(),
            "\n## Sources\n\n",
            *(
                f"- `{id_}`: {source.citation}{f', {source.url}' if source.url else ''}\n"
                for id_, source in found.sources.items()
            ),
        )
    )


def _group(group: Group) -> Iterator[str]:
    yield f"\n## {group.title}\n\nGroup `{group.group}`.\n"
    for treatment in group.treatments:
        yield from _treatment(treatment)


def _treatment(treatment: Treatment) -> Iterator[str]:
    yield f"\n### {treatment.title}\n\n{treatment.description}\n\n"
    given = f", {', '.join(treatment.formats)}" if treatment.formats else ""
    yield f"- `{treatment.id}`: {treatment.kind}; {DISCIPLINES[treatment.discipline].lower()}{given}\n"
    yield f"- usual dose: {treatment.dose}\n- helps with: {', '.join(treatment.helps)}\n"
    yield from _hazards("contraindications", treatment.contraindications)
    yield from _hazards("cautions", treatment.cautions)
    if treatment.codes:
        yield f"- SNOMED CT: {', '.join(f'{code.code} {code.display}' for code in treatment.codes)}\n"
    if treatment.ingredients:
        yield f"- RxNorm: {', '.join(map(_ingredient, treatment.ingredients))}\n"
    yield f"- sources: {_codes(treatment.sources)}\n"


def _hazards(name: str, hazards: Iterable[Hazard]) -> Iterator[str]:
    lines = [f"  - {each.text}{f' (record: {_signs(each)})' if each.expression() else ''}\n" for each in hazards]
    if lines:
        yield f"- {name}:\n"
        yield from lines


def _signs(signs: Signs) -> str:
    parts = [*signs.conditions, *(f"takes {code}" for code in signs.medicines)]
    parts += [f"age {signs.from_age} and more"] if signs.from_age is not None else []
    parts += [f"under {signs.below_age} years"] if signs.below_age is not None else []
    told = " or ".join(parts)
    other = signs.together_with if isinstance(signs, Hazard) else None
    return f"{told}, together with {_signs(other)}" if other else told


def _ingredient(name: str) -> str:
    code = CODES.get(name)
    return f"{name} {code}{'*' if name in UNVERIFIED else ''}" if code else name


def _plan(plan: Plan, found: Catalogue) -> Iterator[str]:
    also = f" Also known as: {', '.join(plan.synonyms)}." if plan.synonyms else ""
    yield f"\n### {plan.title}\n\n`{plan.id}`: {plan.description}{also} Sources: {_codes(plan.sources)}.\n\n"
    yield from (f"- Goal: {goal.text}{f' ({goal.target})' if goal.target else ''}\n" for goal in plan.goals)
    yield "\n| action | treatment | when | why | why not | sources |\n|---|---|---|---|---|---|\n"
    for action in plan.actions:
        yield from _action(action, found, "")


def _action(action: Action, found: Catalogue, above: str) -> Iterator[str]:
    title = action.title or found.treatments[action.treatment or ""][1].title
    when = "; ".join(f"{each.text}: `{each.expression}`" for each in action.when)
    treatment = f"`{action.treatment}`" if action.treatment else f"choose {action.choose}"
    before = f" Before: {_codes(action.before)}." if action.before else ""
    cells = (above + title, treatment, when, action.why + before, action.why_not or "", _codes(action.sources))
    yield f"| {' | '.join(cells)} |\n"
    for part in action.actions:
        yield from _action(part, found, f"{title}: ")


def _codes(codes: Iterable[str]) -> str:
    return ", ".join(f"`{code}`" for code in codes)


if __name__ == "__main__":
    print(render(), end="")
