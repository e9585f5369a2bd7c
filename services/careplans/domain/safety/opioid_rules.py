"""The rules about opioids. All of them are off under the exclusions of CDC 2022."""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

from services.careplans.domain.safety import sources
from services.careplans.domain.safety.facts import Facts, references
from services.careplans.domain.safety.finding import Input, Outcome, Rule, Severity, Verdict
from services.careplans.domain.safety.ingredients import DrugClass
from services.careplans.domain.safety.long_use import lasting
from services.careplans.domain.safety.medications import Medication
from services.careplans.domain.safety.saying import aged, conditions, lacking, names, summed, taken

FIFTY, NINETY = Decimal(50), Decimal(90)
BANDS = (FIFTY, NINETY, Decimal(120), Decimal(200))
"""A rise into a higher band is news."""
OLDER = 65
OFFERED = timedelta(days=365)
"""How long a prescription of naloxone counts after it was filled or ended."""
TAPER = "Never stop or taper abruptly; any change is made slowly, together with the patient."


def _dose(threshold: Decimal, below: Decimal | None, facts: Facts) -> Iterator[Verdict]:
    """From ``threshold`` on, and less than ``below``, for which there is a rule of its own."""
    total = facts.mme
    if not total.shares and total.known:
        return
    inputs, missing = summed(total), lacking(total)
    substance = (*names(each.entry for each in total.shares), *(f"from {each}" for each in BANDS if total.low >= each))
    if below is not None and total.low >= below:
        return
    if total.low >= threshold:
        yield Verdict(Outcome.FOUND, f"{total}.", inputs, missing, substance)
    elif total.high is None:
        yield Verdict(Outcome.UNKNOWN, f"Whether it reaches {threshold} MME/day: {total}.", inputs, missing, substance)
    elif total.high >= threshold:
        yield Verdict(Outcome.POSSIBLE, f"{total}, as not all is decided.", inputs, missing, substance)


def _fifty(facts: Facts) -> Iterator[Verdict]:
    return _dose(FIFTY, NINETY, facts)


def _ninety(facts: Facts) -> Iterator[Verdict]:
    return _dose(NINETY, None, facts)


def _with(classes: tuple[DrugClass, ...], what: str, facts: Facts) -> Iterator[Verdict]:
    opioids, others = facts.medicines.of(DrugClass.OPIOID), facts.medicines.of(*classes)
    if opioids and others:
        both = (*opioids, *others)
        inputs = (*taken("opioid", opioids), *taken(what, others))
        yield Verdict(Outcome.FOUND, f"{', '.join(names(both))} are active.", inputs, substance=names(both))


def _benzodiazepine(facts: Facts) -> Iterator[Verdict]:
    return _with((DrugClass.BENZODIAZEPINE,), "benzodiazepine", facts)


def _depressant(facts: Facts) -> Iterator[Verdict]:
    return _with((DrugClass.SEDATIVE,), "other CNS depressant", facts)


def _relaxant(facts: Facts) -> Iterator[Verdict]:
    return _with((DrugClass.MUSCLE_RELAXANT,), "muscle relaxant", facts)


def _gabapentinoid(facts: Facts) -> Iterator[Verdict]:
    for verdict in _with((DrugClass.GABAPENTINOID,), "gabapentinoid", facts):
        factors = {name: facts.has(name) for name in ("copd", "sleep-apnoea", "kidney-disease") if facts.has(name)}
        older = facts.age is not None and facts.age[0] >= OLDER
        low = facts.egfr is not None and facts.egfr.high is not None and facts.egfr.high < 60
        inputs = [*verdict.inputs, *(each for name, found in factors.items() for each in conditions(name, found))]
        inputs += aged(facts) if older else ()
        if facts.egfr and low:
            inputs.append(Input("eGFR", f"{facts.egfr.text} on {facts.egfr.day}", (facts.egfr.reference,)))
        raised = (*factors, *(("65 years or older",) if older else ()), *(("eGFR below 60",) if low else ()))
        detail = f"{verdict.detail} Higher risk: {', '.join(raised)}." if raised else verdict.detail
        missing = ("the birth date: the risk is higher from 65 years on",) if facts.age is None else ()
        yield Verdict(
            Outcome.FOUND,
            detail,
            tuple(inputs),
            missing,
            (*verdict.substance, *sorted(raised)),
            Severity.HIGH if raised else Severity.MODERATE,
        )


def _naloxone(facts: Facts) -> Iterator[Verdict]:
    opioids = facts.medicines.of(DrugClass.OPIOID)
    if not opioids or _has_naloxone(facts):
        return
    benzodiazepines = facts.medicines.of(DrugClass.BENZODIAZEPINE)
    reasons: dict[str, tuple[Input, ...]] = {
        "prior overdose": conditions("prior overdose", references(facts.overdoses)),
        "substance use disorder": conditions("substance use disorder", references(facts.substance_use)),
        "sleep-disordered breathing": conditions("sleep-disordered breathing", facts.has("sleep-apnoea")),
        "50 MME/day or more": summed(facts.mme) if facts.mme.low >= FIFTY else (),
        "a benzodiazepine": taken("benzodiazepine", benzodiazepines),
    }
    found = {reason: inputs for reason, inputs in reasons.items() if inputs}
    opioid = taken("opioid", opioids)
    if found:
        inputs = (*opioid, *(each for some in found.values() for each in some))
        detail = f"No naloxone is on the list. Reasons: {', '.join(found)}."
        yield Verdict(Outcome.FOUND, detail, inputs, substance=(*names(opioids), *sorted(found)))
    elif facts.mme.high is None or facts.mme.high >= FIFTY:
        outcome = Outcome.UNKNOWN if facts.mme.high is None else Outcome.POSSIBLE
        detail = f"No naloxone is on the list; the opioid dose is {facts.mme}."
        yield Verdict(outcome, detail, (*opioid, *summed(facts.mme)), lacking(facts.mme), names(opioids))


def _has_naloxone(facts: Facts) -> bool:
    """An antagonist alone, active or prescribed within a year. With buprenorphine in one tablet it is none to carry."""
    active = [each.lead for each in facts.medicines.entries]
    lately = [each for each in facts.medicines.past if each.activity.since and _within(each, facts)]
    return any(
        each.product.parts and all(DrugClass.OPIOID_ANTAGONIST in one.classes for one in each.product.ingredients)
        for each in (*active, *lately)
    )


def _within(medication: Medication, facts: Facts) -> bool:
    since = medication.activity.since
    return since is not None and since <= facts.as_of <= since + OFFERED


def _long(facts: Facts) -> Iterator[Verdict]:
    return lasting(DrugClass.OPIOID, facts)


OPIOID_RULES: tuple[Rule, ...] = (
    Rule(
        "opioid-dose-50",
        "1",
        "Opioid dose of 50 MME a day or more",
        Severity.MODERATE,
        sources.DOSE,
        "The morphine equivalents of all active opioids are at least 50 and less than 90 MME a day.",
        f"Weigh benefit and risk anew, offer naloxone, review. {TAPER}",
        _fifty,
        of_opioids=True,
    ),
    Rule(
        "opioid-dose-90",
        "1",
        "Opioid dose of 90 MME a day or more",
        Severity.HIGH,
        sources.DOSE,
        "The morphine equivalents of all active opioids are at least 90 MME a day.",
        f"Weigh benefit and risk anew, offer naloxone, review more often. {TAPER}",
        _ninety,
        of_opioids=True,
    ),
    Rule(
        "opioid-benzodiazepine",
        "1",
        "Opioid together with a benzodiazepine",
        Severity.HIGH,
        sources.DEPRESSANTS,
        "An opioid and a benzodiazepine are active.",
        f"Particular caution; say why both are needed, offer naloxone. {TAPER}",
        _benzodiazepine,
        of_opioids=True,
    ),
    Rule(
        "opioid-cns-depressant",
        "1",
        "Opioid together with another sedative",
        Severity.HIGH,
        sources.DEPRESSANTS,
        "An opioid and a sedative-hypnotic that is no benzodiazepine are active.",
        f"Particular caution; say why both are needed. {TAPER}",
        _depressant,
        of_opioids=True,
    ),
    Rule(
        "opioid-gabapentinoid",
        "1",
        "Opioid together with a gabapentinoid: breathing",
        Severity.MODERATE,
        sources.GABAPENTINOIDS,
        "An opioid and gabapentin or pregabalin are active. High with COPD, sleep apnoea, kidney disease or an eGFR"
        " below 60, or from 65 years on.",
        f"Watch breathing and sedation, start low and adapt to kidney function. {TAPER}",
        _gabapentinoid,
        of_opioids=True,
    ),
    Rule(
        "opioid-muscle-relaxant",
        "1",
        "Opioid together with a muscle relaxant",
        Severity.MODERATE,
        sources.RELAXANTS,
        "An opioid and a muscle relaxant are active.",
        f"Review whether both are needed; watch sedation. {TAPER}",
        _relaxant,
        of_opioids=True,
    ),
    Rule(
        "naloxone-offer",
        "1",
        "Offer naloxone",
        Severity.HIGH,
        sources.NALOXONE,
        "An opioid is active together with a prior overdose, a substance use disorder, sleep-disordered breathing,"
        " 50 MME a day or more, or a benzodiazepine; and no naloxone or nalmefene of its own is active or was"
        " prescribed within a year. Buprenorphine with naloxone in one product is none.",
        "Offer naloxone, and teach the patient and the household how to use it.",
        _naloxone,
        of_opioids=True,
    ),
    Rule(
        "opioid-long-use",
        "1",
        "Opioid for more than 12 weeks without a review",
        Severity.MODERATE,
        sources.REVIEW,
        "Opioids are taken for more than 12 weeks, and no review of medicines was completed in the last 12.",
        f"Review benefit, harm and goals with the patient. {TAPER}",
        _long,
        of_opioids=True,
    ),
)
