"""Each prefix and precision against values before, at the edges of, within and behind it."""

import pytest

from tests.factories.search import ids, searchable, store

VALUES = {
    "before": "2024-03-14",
    "reaches-in": ("2024-03-10", "2024-03-15"),
    "same-day": "2024-03-15",
    "within": "2024-03-15T10:00:00Z",
    "zone": "2024-03-15T23:30:00-05:00",
    "covers": ("2024-03-01", "2024-03-31"),
    "reaches-out": ("2024-03-15", "2024-03-20"),
    "behind": "2024-03-16",
    "open": ("2024-03-20", None),
    "year": "2024",
}
DAY = {
    "": {"same-day", "within"},
    "ne": set(VALUES) - {"same-day", "within"},
    "gt": {"covers", "reaches-out", "behind", "zone", "open", "year"},
    "ge": set(VALUES) - {"before"},
    "lt": {"before", "reaches-in", "covers", "year"},
    "le": set(VALUES) - {"behind", "open", "zone"},
    "sa": {"behind", "zone", "open"},
    "eb": {"before"},
}
CASES = [(f"{prefix}2024-03-15", expected) for prefix, expected in DAY.items()] + [
    ("2024", set(VALUES) - {"open"}),
    ("2024-03", set(VALUES) - {"open", "year"}),
    ("sa2023", set(VALUES)),
    ("eb2025", set(VALUES) - {"open"}),
    ("gt2024", {"open"}),
    ("2024-03-15T10:00", {"within"}),
    ("2024-03-15T10:00:00Z", {"within"}),
    ("2024-03-15T12:00:00+02:00", {"within"}),
    ("2024-03-16T04:30:00Z", {"zone"}),
    ("gt2024-03-16T04:30:00Z", {"covers", "reaches-out", "behind", "open", "year"}),
    ("2024-03-14,2024-03-16", {"before", "behind", "zone"}),
]


@pytest.mark.parametrize("scoped", ["", "&patient=p"], ids=["population", "patient"])
async def test_each_prefix_and_precision(database_url: str, scoped: str) -> None:
    async with searchable(database_url) as pool:
        for id_, value in VALUES.items():
            observation = {"resourceType": "Observation", "id": id_, "subject": {"reference": "Patient/p"}}
            if isinstance(value, tuple):
                period = {"start": value[0], "end": value[1]}
                observation["effectivePeriod"] = {key: end for key, end in period.items() if end}
            else:
                observation["effectiveDateTime"] = value
            await store(pool, [observation])
        for query, expected in CASES:
            found = await ids(pool, f"Observation?date={query.replace('+', '%2B')}{scoped}")
            assert set(found) == expected, query
        assert set(await ids(pool, f"Observation?date=ge2024-03-15&date=lt2024-03-16{scoped}")) == set(VALUES) - {
            "before",
            "behind",
            "open",
            "zone",
        }
