"""The ingredients that the rules know, as data: RxNorm code, how sure it is, name, classes, brands.

RxNorm is of the U.S. National Library of Medicine. ``verified``: the code stands in public value sets. ``unverified``:
from two public tables or from memory; a person must confirm it. Without a code, an ingredient is known by its name.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class DrugClass(StrEnum):
    """What rules speak of."""

    OPIOID = "opioid"
    BENZODIAZEPINE = "benzodiazepine"
    SEDATIVE = "sedative-hypnotic"
    GABAPENTINOID = "gabapentinoid"
    MUSCLE_RELAXANT = "muscle relaxant"
    TCA = "tricyclic antidepressant"
    SSRI = "SSRI"
    SNRI = "SNRI"
    NSAID = "NSAID"
    ANTICOAGULANT = "anticoagulant"
    ANTIPLATELET = "antiplatelet"
    ANALGESIC = "analgesic"
    OPIOID_ANTAGONIST = "opioid antagonist"
    ANTICONVULSANT = "anticonvulsant"
    MAOI = "MAO inhibitor"


@dataclass(frozen=True, slots=True, order=True)
class Ingredient:
    """One substance. ``code`` is its RxNorm ingredient, None where we ship none."""

    name: str
    code: str | None
    verified: bool
    classes: frozenset[DrugClass]


_SHORT: Mapping[str, DrugClass] = {
    "opi": DrugClass.OPIOID,
    "bzd": DrugClass.BENZODIAZEPINE,
    "sed": DrugClass.SEDATIVE,
    "gab": DrugClass.GABAPENTINOID,
    "mus": DrugClass.MUSCLE_RELAXANT,
    "tca": DrugClass.TCA,
    "ssri": DrugClass.SSRI,
    "snri": DrugClass.SNRI,
    "nsaid": DrugClass.NSAID,
    "coag": DrugClass.ANTICOAGULANT,
    "plt": DrugClass.ANTIPLATELET,
    "ana": DrugClass.ANALGESIC,
    "ant": DrugClass.OPIOID_ANTAGONIST,
    "con": DrugClass.ANTICONVULSANT,
    "mao": DrugClass.MAOI,
}

_ROWS = """
2670    | verified   | codeine         | opi       |
4337    | verified   | fentanyl        | opi       | duragesic, actiq, fentora, subsys
5489    | verified   | hydrocodone     | opi       | hysingla, zohydro
3423    | verified   | hydromorphone   | opi       | dilaudid, exalgo
6813    | verified   | methadone       | opi       | dolophine, methadose
7052    | verified   | morphine        | opi       | ms contin, kadian, avinza
7804    | verified   | oxycodone       | opi       | oxycontin, roxicodone, xtampza, oxaydo
7814    | verified   | oxymorphone     | opi       | opana
10689   | verified   | tramadol        | opi       | ultram, conzip
787390  | verified   | tapentadol      | opi       | nucynta
        |            | buprenorphine   | opi       | butrans, belbuca, subutex, sublocade
        |            | meperidine      | opi       | demerol
        |            | levorphanol     | opi       |
        |            | dihydrocodeine  | opi       |
        |            | butorphanol     | opi       |
        |            | pentazocine     | opi       |
        |            | nalbuphine      | opi       |
        |            | oliceridine     | opi       |
7242    | verified   | naloxone        | ant       | narcan, kloxxado, zimhi, evzio
        |            | nalmefene       | ant       | opvee
704     | verified   | amitriptyline   | tca       | elavil
7531    | verified   | nortriptyline   | tca       | pamelor
5691    | verified   | imipramine      | tca       | tofranil
3247    | verified   | desipramine     | tca       | norpramin
3638    | verified   | doxepin         | tca       | silenor
        |            | clomipramine    | tca       | anafranil
        |            | protriptyline   | tca       |
        |            | trimipramine    | tca       |
72625   | verified   | duloxetine      | snri      | cymbalta
39786   | verified   | venlafaxine     | snri      | effexor
588250  | unverified | milnacipran     | snri      | savella
        |            | desvenlafaxine  | snri      | pristiq
        |            | levomilnacipran | snri      | fetzima
36437   | verified   | sertraline      | ssri      | zoloft
4493    | verified   | fluoxetine      | ssri      | prozac
2556    | verified   | citalopram      | ssri      | celexa
321988  | verified   | escitalopram    | ssri      | lexapro
32937   | verified   | paroxetine      | ssri      | paxil
        |            | fluvoxamine     | ssri      | luvox
140587  | verified   | celecoxib       | nsaid     | celebrex
3355    | verified   | diclofenac      | nsaid     | voltaren, cataflam
1191    | verified   | aspirin         | nsaid plt | acetylsalicylic acid, ecotrin
5640    | unverified | ibuprofen       | nsaid     | advil, motrin
7258    | unverified | naproxen        | nsaid     | aleve, naprosyn, anaprox
        |            | meloxicam       | nsaid     | mobic
        |            | ketorolac       | nsaid     | toradol
        |            | indomethacin    | nsaid     | indocin
        |            | etodolac        | nsaid     |
        |            | nabumetone      | nsaid     | relafen
        |            | piroxicam       | nsaid     | feldene
        |            | sulindac        | nsaid     |
        |            | ketoprofen      | nsaid     |
        |            | flurbiprofen    | nsaid     |
        |            | oxaprozin       | nsaid     |
161     | unverified | acetaminophen   | ana       | paracetamol, tylenol, apap, ofirmev
25480   | unverified | gabapentin      | gab       | neurontin, gralise, horizant, gabapentin enacarbil
187832  | unverified | pregabalin      | gab       | lyrica
2101    | verified   | carisoprodol    | mus       | soma
3028    | unverified | cyclobenzaprine | mus       | flexeril, amrix
57258   | unverified | tizanidine      | mus       | zanaflex
1292    | unverified | baclofen        | mus       | lioresal
        |            | methocarbamol   | mus       | robaxin
        |            | metaxalone      | mus       | skelaxin
        |            | chlorzoxazone   | mus       |
        |            | orphenadrine    | mus       | norflex
3322    | verified   | diazepam        | bzd       | valium
6960    | verified   | midazolam       | bzd       | versed
7781    | verified   | oxazepam        | bzd       | serax
6470    | unverified | lorazepam       | bzd       | ativan
596     | unverified | alprazolam      | bzd       | xanax
2598    | unverified | clonazepam      | bzd       | klonopin
        |            | temazepam       | bzd       | restoril
        |            | chlordiazepoxide| bzd       | librium
        |            | triazolam       | bzd       | halcion
        |            | estazolam       | bzd       |
        |            | clorazepate     | bzd       | tranxene
        |            | clobazam        | bzd       | onfi
        |            | flurazepam      | bzd       |
        |            | zolpidem        | sed       | ambien
        |            | eszopiclone     | sed       | lunesta
        |            | zopiclone       | sed       |
        |            | zaleplon        | sed       | sonata
        |            | phenobarbital   | sed       |
        |            | butalbital      | sed       |
        |            | secobarbital    | sed       |
        |            | meprobamate     | sed       |
11289   | verified   | warfarin        | coag      | coumadin, jantoven
1364430 | unverified | apixaban        | coag      | eliquis
        |            | rivaroxaban     | coag      | xarelto
        |            | dabigatran      | coag      | pradaxa
        |            | edoxaban        | coag      | savaysa
        |            | enoxaparin      | coag      | lovenox
        |            | dalteparin      | coag      | fragmin
        |            | fondaparinux    | coag      | arixtra
        |            | heparin         | coag      |
32968   | verified   | clopidogrel     | plt       | plavix
        |            | prasugrel       | plt       | effient
        |            | ticagrelor      | plt       | brilinta
2002    | verified   | carbamazepine   | con       | tegretol
        |            | phenelzine      | mao       | nardil
        |            | tranylcypromine | mao       | parnate
        |            | selegiline      | mao       | emsam
        |            | rasagiline      | mao       | azilect
        |            | linezolid       | mao       | zyvox
"""

_COMBINATIONS = """
percocet, endocet, nalocet        | oxycodone acetaminophen
norco, vicodin, lortab, lorcet    | hydrocodone acetaminophen
vicoprofen                        | hydrocodone ibuprofen
ultracet                          | tramadol acetaminophen
tylenol #3, tylenol #4, tylenol 3 | acetaminophen codeine
suboxone, zubsolv                 | buprenorphine naloxone
fioricet                          | butalbital acetaminophen
seglentis                         | celecoxib tramadol
excedrin                          | acetaminophen aspirin
"""
"""Brands with two ingredients, in the order in which their strengths are written."""


def _read() -> tuple[dict[str, Ingredient], dict[str, tuple[str, ...]]]:
    known: dict[str, Ingredient] = {}
    named: dict[str, tuple[str, ...]] = {}
    for row in _ROWS.strip().splitlines():
        code, sure, name, classes, brands = (part.strip() for part in row.split("|"))
        of = frozenset(_SHORT[word] for word in classes.split())
        known[name] = Ingredient(name, code or None, sure == "verified", of)
        named |= {word.strip(): (name,) for word in (name, *brands.split(",")) if word.strip()}
    for row in _COMBINATIONS.strip().splitlines():
        brands, names = row.split("|")
        named |= {brand.strip(): tuple(names.split()) for brand in brands.split(",")}
    return known, named


INGREDIENTS: Mapping[str, Ingredient]
"""By name, in lower case."""
NAMES: Mapping[str, tuple[str, ...]]
"""Names and brands, in lower case, to the names of the ingredients."""
INGREDIENTS, NAMES = _read()

BY_CODE: Mapping[str, Ingredient] = {each.code: each for each in INGREDIENTS.values() if each.code}
"""By the RxNorm code of the ingredient."""
