"""The medications of one patient, read one by one: what it is, by whom, in what dose, and whether it counts.

``medicationReference`` works as ``medicationCodeableConcept``: the Medication is contained, or given in a mapping.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from services.careplans.domain.safety.activity import Activity, activity_of
from services.careplans.domain.safety.dosing import Dose, doses_of, instructions_of, is_as_needed
from services.careplans.domain.safety.gaps import Gap
from services.careplans.domain.safety.ingredients import BY_CODE
from services.careplans.domain.safety.products import Form, Part, Product, form_of, product_of
from services.careplans.domain.safety.quantities import Amount, amount
from services.careplans.domain.safety.reading import (
    RXNORM,
    child,
    codings,
    local_reference,
    number,
    objects,
    own_reference,
    string,
    texts,
)
from shared.fhir.json import Resource

TYPES = frozenset({"MedicationRequest", "MedicationStatement"})


@dataclass(frozen=True, slots=True)
class Medication:
    """One MedicationRequest or MedicationStatement."""

    reference: str
    resource: Resource
    product: Product
    activity: Activity
    doses: tuple[Dose, ...]
    prescriber: str | None
    """A reference, ``system|value``, or a name; None where it is not said, and always for a statement."""
    as_needed: bool
    gaps: tuple[Gap, ...]

    @property
    def is_request(self) -> bool:
        """A prescription; a statement tells of one, or of what is taken without."""
        return self.reference.startswith("MedicationRequest/")


def read(resource: Resource, medications: Mapping[str, Resource], as_of: date) -> Medication:
    """What ``resource`` says on the day ``as_of``. ``medications``: Medication resources by reference."""
    reference = own_reference(resource)
    found = product(resource, medications)
    activity = activity_of(resource, as_of)
    instructions = instructions_of(resource)[1]
    doses = doses_of(resource, reference, found, activity.since, as_of)
    gaps = activity.gaps
    if not found.parts and found.text is None:
        element = f"{resource.get('resourceType')}.medication[x]"
        gaps += (Gap(reference, element, "what is taken cannot be told: no text, and no code that is known here"),)
    as_needed = any(is_as_needed(each) for each in instructions)
    return Medication(reference, resource, found, activity, doses, _prescriber(resource), as_needed, gaps)


def _prescriber(resource: Resource) -> str | None:
    requester = child(resource, "requester")
    identifier = child(requester, "identifier")
    if string(identifier, "value"):
        return f"{string(identifier, 'system') or ''}|{string(identifier, 'value')}"
    return local_reference(requester) or string(requester, "display")


def product(resource: Resource, medications: Mapping[str, Resource]) -> Product:
    """What a resource with ``medication[x]`` is about."""
    concept = child(resource, "medicationCodeableConcept")
    link = child(resource, "medicationReference")
    medication = _linked(link, resource, medications)
    structured = list(_structured(medication, medications))
    concepts = [concept, child(medication, "code")]
    words = [text for each in concepts for text in texts(each)]
    if string(link, "display"):
        words.append(str(string(link, "display")))
    best = _best([product_of(text) for text in words])
    coded = {
        BY_CODE[code] for each in concepts for system, code in codings(each) if system == RXNORM and code in BY_CODE
    }
    form = _form(best, medication, resource)
    text = best.text or (next(iter(sorted(each.name for each in coded)), None))
    if structured:
        parts = {part.ingredient.name: part for part in (*best.parts, *structured)}
        alone = len(objects(medication.get("ingredient"))) == 1
        return Product(_sorted(parts), form, text, alone, best.wear)
    missing = {each.name: Part(each) for each in coded if each not in best.ingredients}
    if not missing:
        return Product(best.parts, form, text, best.alone, best.wear)
    parts = {part.ingredient.name: part for part in best.parts} | missing
    return Product(_sorted(parts), form, text, len(parts) == 1, best.wear)


def _sorted(parts: Mapping[str, Part]) -> tuple[Part, ...]:
    return tuple(parts[name] for name in sorted(parts))


def _best(products: list[Product]) -> Product:
    """The text that tells most: ingredients, then strengths, then the form; the first of equals."""
    if not products:
        return Product()
    return max(
        products,
        key=lambda each: (
            len(each.parts),
            sum(part.strength is not None for part in each.parts),
            each.form is not Form.UNKNOWN,
        ),
    )


def _form(product: Product, medication: Resource, resource: Resource) -> Form:
    """The product's form, else that of the Medication, else what the route says."""
    if product.form is not Form.UNKNOWN:
        return product.form
    routes = [child(each, "route") for each in instructions_of(resource)[1]]
    for concept in (child(medication, "form"), *routes):
        for text in texts(concept):
            if (form := form_of(text)) is not Form.UNKNOWN:
                return form
    return Form.UNKNOWN


def _linked(link: Resource, resource: Resource, medications: Mapping[str, Resource]) -> Resource:
    """The Medication that is referred to; empty where it is not at hand."""
    reference = local_reference(link)
    if reference is None:
        return {}
    if reference.startswith("#"):
        held = (each for each in objects(resource.get("contained")) if string(each, "id") == reference[1:])
        return next(held, {})
    found = medications.get(reference)
    return found if isinstance(found, dict) else {}


def _structured(medication: Resource, medications: Mapping[str, Resource]) -> Iterator[Part]:
    """``Medication.ingredient``: the item by its code or text, the strength by its Ratio."""
    for each in objects(medication.get("ingredient")):
        item = child(each, "itemCodeableConcept") or child(
            _linked(child(each, "itemReference"), medication, medications), "code"
        )
        strength = _ratio(child(each, "strength"))
        known = [BY_CODE[code] for system, code in codings(item) if system == RXNORM and code in BY_CODE]
        named = [ingredient for text in texts(item) for ingredient in product_of(text).ingredients]
        for ingredient in (known or named)[:1]:
            yield Part(ingredient, strength)


def _ratio(ratio: Resource) -> Amount | None:
    """A strength: a mass by a volume or a time; by a piece, whatever it is called, the mass."""
    numerator, denominator = child(ratio, "numerator"), child(ratio, "denominator")
    mass = amount(number(numerator, "value"), string(numerator, "code") or string(numerator, "unit"))
    by = number(denominator, "value") if denominator else 1
    if mass is None or not by:
        return None
    divisor = amount(number(denominator, "value"), string(denominator, "code") or string(denominator, "unit"))
    return mass.per(divisor) if divisor else Amount(mass.value / by, mass.unit)
