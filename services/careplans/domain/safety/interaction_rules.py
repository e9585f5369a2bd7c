"""The rules about other medicines that do not go together, or not with a condition or an age."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from decimal import Decimal

from services.careplans.domain.safety import sources
from services.careplans.domain.safety.facts import Facts
from services.careplans.domain.safety.finding import Input, Outcome, Rule, Severity, Verdict
from services.careplans.domain.safety.ingredients import DrugClass
from services.careplans.domain.safety.merging import Entry
from services.careplans.domain.safety.opioid_rules import OLDER
from services.careplans.domain.safety.quantities import MG
from services.careplans.domain.safety.saying import aged, conditions, names, taken

SEROTONERGIC_OPIOIDS = frozenset({"tramadol", "fentanyl"})
LOW_EGFR, VERY_LOW_EGFR = Decimal(60), Decimal(30)
STALE = timedelta(days=365)
"""An eGFR that is older is told as old."""
LOW_DOSE_ASPIRIN = Decimal(325)
"""mg a day up to which aspirin is taken for the heart."""
HEART_TABLET = Decimal(100)
"""mg of an aspirin tablet for the heart, at most."""
LOW_DOSE_DOXEPIN = Decimal(6)
"""mg a day up to which doxepin is no concern at an older age (Beers 2023)."""
ANTIDEPRESSANTS = (DrugClass.TCA, DrugClass.SSRI, DrugClass.SNRI)


def _both(what: str, one: Sequence[Entry], other: Sequence[Entry]) -> Iterator[Verdict]:
    if one and other:
        both = (*one, *other)
        detail = f"{', '.join(names(both))} are active."
        yield Verdict(Outcome.FOUND, detail, taken(what, both), substance=names(both))


def _serotonergic(facts: Facts) -> Iterator[Verdict]:
    groups = {each: facts.medicines.of(each) for each in ANTIDEPRESSANTS}
    opioids = [each for each in facts.medicines.of(DrugClass.OPIOID) if not SEROTONERGIC_OPIOIDS.isdisjoint(each.names)]
    antidepressants = facts.medicines.of(*ANTIDEPRESSANTS)
    several = sum(bool(found) for found in groups.values()) > 1
    if several or (antidepressants and opioids):
        yield from _both("serotonergic medicine", antidepressants[:1], (*antidepressants[1:], *opioids))


def _nsaids(facts: Facts) -> tuple[Entry, ...]:
    return facts.medicines.of(DrugClass.NSAID)


def _anticoagulant(facts: Facts) -> Iterator[Verdict]:
    return _both("NSAID or anticoagulant", _nsaids(facts), facts.medicines.of(DrugClass.ANTICOAGULANT))


def _antidepressant(facts: Facts) -> Iterator[Verdict]:
    return _both("NSAID or SSRI/SNRI", _nsaids(facts), facts.medicines.of(DrugClass.SSRI, DrugClass.SNRI))


def _kidney(facts: Facts) -> Iterator[Verdict]:
    entries = tuple(each for each in _nsaids(facts) if not _is_low_dose_aspirin(each))
    if not entries:
        return
    disease, egfr = facts.has("kidney-disease"), facts.egfr
    inputs = (*taken("NSAID", entries), *conditions("kidney disease", disease))
    missing = list(facts.egfr_refused)
    if egfr is None:
        missing.append("an eGFR")
    else:
        old = facts.as_of - egfr.day > STALE
        days = (facts.as_of - egfr.day).days
        inputs += (Input("eGFR", f"{egfr.text} on {egfr.day}, {days} days ago", (egfr.reference,)),)
        missing += ["an eGFR of the last 12 months"] if old else []
    low = egfr is not None and egfr.high is not None and egfr.high < LOW_EGFR
    very = low and egfr is not None and egfr.high is not None and egfr.high < VERY_LOW_EGFR
    substance = (*names(entries), *(("eGFR below 30",) if very else ("eGFR below 60",) if low else ()))
    substance += ("kidney disease",) if disease else ()
    severity = Severity.HIGH if very else None
    if low or disease:
        stale = not disease and "an eGFR of the last 12 months" in missing
        detail = f"{', '.join(names(entries))} with {'kidney disease' if disease else 'an eGFR below 60'}."
        outcome = Outcome.POSSIBLE if stale else Outcome.FOUND
        yield Verdict(outcome, detail, inputs, tuple(missing), substance, severity)
    elif egfr is None or egfr.low is None or (egfr.high is None and egfr.low < LOW_EGFR):
        detail = f"{', '.join(names(entries))}; the kidney function is not known."
        yield Verdict(Outcome.UNKNOWN, detail, inputs, tuple(missing), substance)


def _is_low_dose_aspirin(entry: Entry) -> bool:
    """By its dose; where none is known, by the strength of the tablet."""
    known = any(each.mg_per_day is not None for each in entry.doses)
    strengths = [part.strength.to(MG) for part in entry.lead.product.parts if part.strength]
    small = bool(strengths) and all(each is not None and each <= HEART_TABLET for each in strengths)
    by_strength = not known and entry.names == ("aspirin",) and small
    return by_strength or _is_at_most(entry, "aspirin", LOW_DOSE_ASPIRIN)


def _is_at_most(entry: Entry, ingredient: str, mg: Decimal) -> bool:
    doses = [each for each in entry.doses if each.mg_per_day is not None]
    return entry.names == (ingredient,) and bool(doses) and all((each.mg_per_day or mg) <= mg for each in doses)


def _tricyclic(facts: Facts) -> Iterator[Verdict]:
    entries = facts.medicines.of(DrugClass.TCA)
    counted = tuple(each for each in entries if not _is_at_most(each, "doxepin", LOW_DOSE_DOXEPIN))
    arrhythmia = facts.has("arrhythmia")
    older = facts.age is not None and facts.age[0] >= OLDER
    risks = (
        *(("arrhythmia",) if arrhythmia and entries else ()),
        *(("65 years or older",) if older and counted else ()),
    )
    inputs = (*taken("tricyclic", entries), *aged(facts), *conditions("arrhythmia", arrhythmia))
    if risks:
        detail = f"{', '.join(names(entries))} with {', '.join(risks)}."
        yield Verdict(Outcome.FOUND, detail, inputs, substance=(*names(entries), *risks))
    elif counted and (facts.age is None or facts.age[1] >= OLDER):
        missing = ("the birth date: the rule holds from 65 years on",)
        yield Verdict(Outcome.UNKNOWN, "Whether the patient is 65 or older.", inputs, missing, names(entries))


INTERACTION_RULES: tuple[Rule, ...] = (
    Rule(
        "serotonergic-pair",
        "1",
        "Serotonergic medicines together: serotonin toxicity",
        Severity.MODERATE,
        sources.SEROTONIN,
        "Two of tricyclic, SSRI and SNRI are active, or one of them with tramadol or fentanyl.",
        "Tell the patient the signs of serotonin toxicity; review whether both are needed. Stop none abruptly.",
        _serotonergic,
    ),
    Rule(
        "nsaid-anticoagulant",
        "1",
        "NSAID together with an anticoagulant: bleeding",
        Severity.HIGH,
        sources.BLEEDING,
        "An NSAID (by mouth, aspirin among them) and an anticoagulant are active.",
        "Avoid where possible; else protect the stomach and watch for bleeding. Stop no anticoagulant for pain.",
        _anticoagulant,
    ),
    Rule(
        "nsaid-antidepressant",
        "1",
        "NSAID together with an SSRI or SNRI: bleeding",
        Severity.MODERATE,
        sources.BLEEDING,
        "An NSAID (by mouth, aspirin among them) and an SSRI or SNRI are active.",
        "Consider another pain reliever or protection of the stomach. Stop no antidepressant abruptly.",
        _antidepressant,
    ),
    Rule(
        "nsaid-kidney",
        "1",
        "NSAID with kidney disease or an eGFR below 60",
        Severity.MODERATE,
        sources.KIDNEY,
        "An NSAID is active (aspirin up to 325 mg a day is none), and kidney disease is on record or the latest eGFR is"
        " below 60 mL/min/1.73 m2; high below 30. A value older than 12 months makes it possible, not found.",
        "Prefer another pain reliever; check kidney function.",
        _kidney,
    ),
    Rule(
        "tricyclic-risk",
        "1",
        "Tricyclic at 65 years or older, or with an arrhythmia",
        Severity.MODERATE,
        sources.TRICYCLICS,
        "A tricyclic is active at 65 years or older (doxepin up to 6 mg a day is none), or with an arrhythmia.",
        "Review falls, confusion and the heart (ECG); consider another medicine. Stop none abruptly.",
        _tricyclic,
    ),
)
