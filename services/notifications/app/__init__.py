"""Use cases: tell a happening, settle an attempt, replay, set a preference; and what can be asked."""
