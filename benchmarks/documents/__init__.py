"""Documents of many pages: how fast pools read them, what a worker needs, and what others make of the same pages."""
