"""Where lines are found, and how far a page is turned."""
