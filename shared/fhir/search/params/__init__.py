"""One file per kind of search parameter: how its values are indexed, and what a search value asks for."""
