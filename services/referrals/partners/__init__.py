"""Other systems: which there are, how they know us, and how they are asked."""
