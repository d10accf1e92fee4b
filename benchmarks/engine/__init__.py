"""How fast and how well images are read."""
