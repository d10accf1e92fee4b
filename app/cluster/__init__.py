"""What a node knows of other nodes."""
