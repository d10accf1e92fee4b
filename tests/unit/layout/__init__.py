"""The order in which lines are read."""
