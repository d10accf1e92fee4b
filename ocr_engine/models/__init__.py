"""The models: their files, how they are opened as sessions, and their optimised graphs."""
