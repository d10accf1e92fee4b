"""Patterns of operators that are found in a graph, and what takes their place: each module knows one."""
