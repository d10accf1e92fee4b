"""What is done with jobs."""
