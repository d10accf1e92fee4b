"""The OCR processes: the pool, one process behind its executor, and what runs inside."""
