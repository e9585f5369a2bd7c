"""A brute-force oracle of search: random resources and random queries, compared with a plain filter over the JSON."""
