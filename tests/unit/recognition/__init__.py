"""From crops of lines to their text."""
