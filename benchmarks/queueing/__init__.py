"""What a queue of jobs before several workers does, by simulation."""
