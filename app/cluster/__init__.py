"""What a node of a cluster does, and what it knows of the others."""
