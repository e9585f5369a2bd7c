"""Pure: who is told what over which channel, how a delivery ends, which states a Communication may go through."""
