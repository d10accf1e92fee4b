"""Pages in scripts that the models do not hold, read line by line by Tesseract where it is installed."""
