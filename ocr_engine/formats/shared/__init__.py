"""What several formats ask of a page: where its words stand, its paragraphs as running text, its tables as grids."""
