"""Files of pages, opened inside an OCR process only: images, TIFFs, PDFs behind one promise."""
