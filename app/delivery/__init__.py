"""Word of a job's progress to the outside."""
