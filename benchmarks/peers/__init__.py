"""Other programs on the same images."""
