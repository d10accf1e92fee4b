"""The in-process queue of a node on SQLite, and the fair order in which it hands units out."""
