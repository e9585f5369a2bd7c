"""Every pair of states, by every caller, through every way that leads to a Task."""
