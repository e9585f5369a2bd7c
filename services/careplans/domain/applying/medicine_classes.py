"""The classes of medicines that the catalogue knows: which of the ingredients of the safety rules are in each.

Products carry codes of their own in RxNorm; without its tables they are recognised by the ingredient's name.
"""

from services.careplans.domain.applying.classes import MedicineClass
from services.careplans.domain.safety.ingredients import INGREDIENTS, DrugClass

CODES: dict[str, str] = {each.name: each.code for each in INGREDIENTS.values() if each.code}
"""Ingredient=RxNorm."""
UNVERIFIED: frozenset[str] = frozenset(name for name in CODES if not INGREDIENTS[name].verified)
"""Codes from memory or from only two public tables."""


def _class(
    code: str,
    variable: str,
    title: str,
    *classes: DrugClass,
    also: tuple[str, ...] = (),
    but_not: tuple[str, ...] = (),
) -> MedicineClass:
    """``but_not``: aspirin is mostly taken for the heart, and is among the blood thinners."""
    names = [each.name for each in INGREDIENTS.values() if not each.classes.isdisjoint(classes)]
    return _named(code, variable, title, *(name for name in (*names, *also) if name not in but_not))


def _named(code: str, variable: str, title: str, *names: str) -> MedicineClass:
    ingredients = {name: CODES.get(name) for name in names}
    return MedicineClass(code, variable, title, ingredients, UNVERIFIED & ingredients.keys())


MEDICINE_CLASSES: tuple[MedicineClass, ...] = (
    _class("opioid", "takesOpioid", "Opioids", DrugClass.OPIOID),
    _named("serotonergic-opioid", "takesSerotonergicOpioid", "Serotonergic opioids", "tramadol", "fentanyl"),
    _class("benzodiazepine", "takesBenzodiazepine", "Benzodiazepines", DrugClass.BENZODIAZEPINE),
    _class("gabapentinoid", "takesGabapentinoid", "Gabapentinoids", DrugClass.GABAPENTINOID),
    _class("nsaid", "takesNsaid", "NSAIDs", DrugClass.NSAID, but_not=("aspirin",)),
    _class("acetaminophen", "takesAcetaminophen", "Acetaminophen", DrugClass.ANALGESIC, also=("paracetamol",)),
    _class(
        "blood-thinner",
        "takesBloodThinner",
        "Blood thinners (anticoagulants or antiplatelets)",
        *(DrugClass.ANTICOAGULANT, DrugClass.ANTIPLATELET),
    ),
    _class("ssri", "takesSsri", "SSRIs", DrugClass.SSRI),
    _class("snri", "takesSnri", "SNRIs", DrugClass.SNRI),
    _class("tca", "takesTca", "Tricyclics", DrugClass.TCA),
    _class("muscle-relaxant", "takesMuscleRelaxant", "Muscle relaxants", DrugClass.MUSCLE_RELAXANT),
    _class("maoi", "takesMaoi", "MAO inhibitors", DrugClass.MAOI),
)
