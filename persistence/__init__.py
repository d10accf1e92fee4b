"""Jobs that survive. The only room that knows databases."""
