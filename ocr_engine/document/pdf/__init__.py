"""PDF by PDFium, in OCR processes only: PDFium is not thread-safe, and hostile files may abort or hang it."""
