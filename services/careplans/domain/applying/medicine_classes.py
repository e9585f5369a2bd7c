"""The classes of medicines that the catalogue knows, as data: RxNorm ingredients and their names.

Products carry codes of their own in RxNorm; without its tables they are recognised by the ingredient's name.
"""

import re

from services.careplans.domain.applying.classes import MedicineClass

CODES: dict[str, str] = dict(
    re.findall(
        r"(\w+)=(\d+)",
        """
    codeine=2670 fentanyl=4337 hydrocodone=5489 hydromorphone=3423 methadone=6813 morphine=7052 oxycodone=7804
    oxymorphone=7814 tramadol=10689 tapentadol=787390 amitriptyline=704 nortriptyline=7531 imipramine=5691
    desipramine=3247 doxepin=3638 duloxetine=72625 venlafaxine=39786 milnacipran=588250 sertraline=36437
    fluoxetine=4493 citalopram=2556 escitalopram=321988 paroxetine=32937 celecoxib=140587 diclofenac=3355
    aspirin=1191 ibuprofen=5640 naproxen=7258 diazepam=3322 midazolam=6960 oxazepam=7781 lorazepam=6470
    alprazolam=596 clonazepam=2598 carisoprodol=2101 cyclobenzaprine=3028 tizanidine=57258 baclofen=1292
    gabapentin=25480 pregabalin=187832 acetaminophen=161 warfarin=11289 apixaban=1364430 clopidogrel=32968
    carbamazepine=2002
        """,
    )
)
"""Ingredient=RxNorm."""
UNVERIFIED: frozenset[str] = frozenset(
    """
    gabapentin pregabalin ibuprofen naproxen acetaminophen cyclobenzaprine tizanidine baclofen lorazepam alprazolam
    clonazepam milnacipran apixaban
    """.split()
)
"""Codes from memory or from only two public tables."""


def _class(code: str, variable: str, title: str, names: str) -> MedicineClass:
    ingredients = {name: CODES.get(name) for name in names.split()}
    return MedicineClass(code, variable, title, ingredients, UNVERIFIED & ingredients.keys())


MEDICINE_CLASSES: tuple[MedicineClass, ...] = (
    _class(
        "opioid",
        "takesOpioid",
        "Opioids",
        "codeine fentanyl hydrocodone hydromorphone methadone morphine oxycodone oxymorphone tramadol tapentadol"
        " buprenorphine",
    ),
    _class("serotonergic-opioid", "takesSerotonergicOpioid", "Serotonergic opioids", "tramadol fentanyl"),
    _class(
        "benzodiazepine",
        "takesBenzodiazepine",
        "Benzodiazepines",
        "diazepam midazolam oxazepam lorazepam alprazolam clonazepam temazepam",
    ),
    _class("gabapentinoid", "takesGabapentinoid", "Gabapentinoids", "gabapentin pregabalin"),
    _class("nsaid", "takesNsaid", "NSAIDs", "ibuprofen naproxen celecoxib diclofenac meloxicam ketorolac indomethacin"),
    _class("acetaminophen", "takesAcetaminophen", "Acetaminophen", "acetaminophen paracetamol"),
    _class(
        "blood-thinner",
        "takesBloodThinner",
        "Blood thinners (anticoagulants or antiplatelets)",
        "warfarin apixaban rivaroxaban edoxaban dabigatran enoxaparin heparin clopidogrel aspirin",
    ),
    _class("ssri", "takesSsri", "SSRIs", "sertraline fluoxetine citalopram escitalopram paroxetine"),
    _class("snri", "takesSnri", "SNRIs", "duloxetine venlafaxine milnacipran desvenlafaxine"),
    _class("tca", "takesTca", "Tricyclics", "amitriptyline nortriptyline imipramine desipramine doxepin"),
    _class(
        "muscle-relaxant",
        "takesMuscleRelaxant",
        "Muscle relaxants",
        "carisoprodol cyclobenzaprine tizanidine baclofen methocarbamol",
    ),
    _class(
        "maoi",
        "takesMaoi",
        "MAO inhibitors",
        "phenelzine tranylcypromine selegiline rasagiline linezolid",
    ),
)
