"""Morphine milligram equivalents per unit of a daily dose, as data.

Source: Dowell D, Ragan KR, Jones CM, Baldwin GT, Chou R. CDC Clinical Practice Guideline for Prescribing Opioids for
Pain - United States, 2022. MMWR Recomm Rep 2022;71(RR-3), table of conversion factors. They are for oral doses in mg
per day, of fentanyl for a patch in mcg per hour. They serve to compare doses and never to convert one opioid into
another.
"""

from collections.abc import Mapping
from decimal import Decimal

SOURCE = "CDC Clinical Practice Guideline for Prescribing Opioids for Pain, 2022 (MMWR Recomm Rep 2022;71(RR-3))"
URL = "https://www.cdc.gov/mmwr/volumes/71/rr/rr7103a1.htm"

PER_MG: Mapping[str, Decimal] = {
    "codeine": Decimal("0.15"),
    "hydrocodone": Decimal("1"),
    "hydromorphone": Decimal("5"),
    "methadone": Decimal("4.7"),
    "morphine": Decimal("1"),
    "oxycodone": Decimal("1.5"),
    "oxymorphone": Decimal("3"),
    "tapentadol": Decimal("0.4"),
    "tramadol": Decimal("0.2"),
}
"""MME per mg that is taken by mouth."""

PER_MCG_PER_HOUR: Mapping[str, Decimal] = {"fentanyl": Decimal("2.4")}
"""MME per day per mcg/h of a patch."""

NOT_COUNTED = frozenset({"buprenorphine"})
"""A partial agonist: the guideline gives no factor and does not measure it against thresholds."""
