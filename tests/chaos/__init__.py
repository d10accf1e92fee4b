"""Random kills under load, and then the account: was every accepted image ended exactly once?

Bounded in the ordinary tests; for as long as wanted by hand: `python -m tests.chaos --minutes 10 --seed 7`.
"""
