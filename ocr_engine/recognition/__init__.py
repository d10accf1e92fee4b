"""From crops of single lines to their text."""
