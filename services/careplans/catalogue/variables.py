"""The variables of conditions, as a part of ``docs/treatment-catalogue.md``."""

from collections.abc import Iterator

from services.careplans.domain.applying.circumstances import WAITS
from services.careplans.domain.applying.condition_classes import CONDITION_CLASSES
from services.careplans.domain.applying.conditions import CHRONIC
from services.careplans.domain.applying.expressions import REFUSED
from services.careplans.domain.applying.gather import RAW
from services.careplans.domain.applying.measures import (
    ASSESSMENT_DAYS,
    ASSESSMENTS,
    MEASURES,
    SCORE_DAYS,
    Assessment,
    Measure,
)
from services.careplans.domain.applying.medicine_classes import MEDICINE_CLASSES

_HEAD = """
## Variables of conditions

For the catalogue's plans and for everybody's own. A variable without a value is empty; `and`, `or` and `not()` of
FHIRPath then give yes or no where the rest decides, and empty where it does not, which is told as "not known" with
what is needed. That nothing is recorded proves nothing: without a single condition all classes of conditions are
empty, without a single active medicine all classes of medicines.

Refused in conditions are {refused}; `%asOf` is the day for which the plan is applied.
Of `where`, `all` and `exists` with criteria, at most two stand within each other, with no list of the record in them.

- `%age` in whole years, `%medicines` the number of active medicines.
- `%uncertainDiagnosis`: a condition of chronic pain is unconfirmed, provisional or differential.
- `%telehealth`, `%groups`: whether the patient takes visits by video or telephone, takes part in groups.
- {waits}: days until a free visit nearby.
- `%patient` and {raw}: resources as they are.

### Scores and assessments

The latest final Observation of the code, a component of one, or a QuestionnaireResponse that was answered in full;
what a score is stands in [outcome measures](measures.md). PHQ-9 item 9 counts wherever it was answered, also before
all is. A score older than {score_days} days or an assessment older than {assessment_days} days is missing, as is a
score outside its range.

| variable | what | code | range |
|---|---|---|---|
"""

_CONDITIONS = """
### Classes of conditions

True where an active Condition has a code that begins with one of ICD-10 or ICD-10-CM, or is one of SNOMED CT or
ICD-11, or is the class's own code (`https://consilium.care/fhir/CodeSystem/condition-class`). A Condition whose
codes no class knows is recognised by its English name, and the reason says so; a name that says that it is suspected,
looked for, of the family or the past does not count. Low back pain and the like that began within the last {chronic}
days is not chronic. Conditions that no class knows are listed in the proposal. One that has neither a name nor a code
that can be read may be of any class: then there is no "no". Codes in bold are verified.

| variable | class | ICD-10, ICD-10-CM | others | name |
|---|---|---|---|---|
"""

_MEDICINES = """
### Classes of medicines

True where an active MedicationRequest or MedicationStatement, or the Medication that it refers to, has the RxNorm
code of an ingredient, its name or a brand. Two orders of one product are one medicine. One that nobody can name may be
of any class: then there is no "no".

| variable | class | ingredients |
|---|---|---|
"""


def render_variables() -> str:
    """The section, as Markdown."""
    head = _HEAD.format(
        refused=", ".join(f"`{name}`" for name in sorted(REFUSED)),
        waits=", ".join(f"`%{variable}`" for variable, _ in WAITS.values()),
        raw=", ".join(f"`%{name}`" for name in RAW),
        score_days=SCORE_DAYS,
        assessment_days=ASSESSMENT_DAYS,
    )
    return "".join(
        (head, *_observed(), _CONDITIONS.format(chronic=CHRONIC.days), *_conditions(), _MEDICINES, *_medicines())
    )


def _observed() -> Iterator[str]:
    for measure in MEASURES:
        code, range_ = _code(measure), f"{measure.lowest} to {measure.highest}"
        yield f"| `%{measure.variable}` | {measure.title} | {code} | {range_} |\n"
    for each in ASSESSMENTS:
        yield f"| `%{each.variable}` | {each.title} | {_code(each)} | yes or no |\n"


def _code(observed: Measure | Assessment) -> str:
    system, code = observed.coding
    return f"`{system}\\|{code}`"


def _conditions() -> Iterator[str]:
    for class_ in CONDITION_CLASSES:
        icd10, others = (
            ", ".join(f"**{code}**" if code in class_.verified else code for code in codes)
            for codes in (class_.icd10, [code for _, code in class_.exact])
        )
        icd10 += f" (not {', '.join(class_.but_not)})" if class_.but_not else ""
        cells = (f"`%{class_.variable}`", f"{class_.title} (`{class_.code}`)", icd10, others, _pattern(class_.name))
        yield f"| {' | '.join(cells)} |\n"


def _pattern(name: str) -> str:
    escaped = name.replace("|", "\\|")
    return f"`{escaped}`" if name else ""


def _medicines() -> Iterator[str]:
    for class_ in MEDICINE_CLASSES:
        yield f"| `%{class_.variable}` | {class_.title} (`{class_.code}`) | {', '.join(class_.ingredients)} |\n"
