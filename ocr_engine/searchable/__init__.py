"""Searchable PDFs: the file as it was, with what was read lying unseen on its print."""
