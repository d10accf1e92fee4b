"""Model packs: recognisers of other scripts (PP-OCR v3 to v6) in a folder, told by one manifest."""
