"""How well images are read: what stands in them, what was read, and figures of the difference."""
