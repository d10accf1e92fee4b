"""Where the lines of text are on a page: the detection model, and how it is looked with."""
