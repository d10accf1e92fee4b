"""`/batches`: many files in one request, and what becomes of them."""
