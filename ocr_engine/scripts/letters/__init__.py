"""What letters tell of lines in other scripts: their language, and which of them were misread."""
