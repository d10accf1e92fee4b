"""Model files, sessions, optimised graphs."""
