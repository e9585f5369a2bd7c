"""One file per type of search parameter: what a search finds, and what it refuses."""
