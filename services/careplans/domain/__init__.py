"""The rules of plans, teams and goals. Pure: plain dictionaries in, plain dictionaries and facts out."""
