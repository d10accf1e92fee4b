"""Results as XML of the standards that libraries and archives read: hOCR, ALTO and PAGE."""
