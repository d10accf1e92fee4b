"""How fast images are read, and in how much memory."""
