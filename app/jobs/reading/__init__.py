"""What is done with one unit of work that the queue hands out: claimed, its file fetched, read by a worker, kept."""
