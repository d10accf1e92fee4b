"""Images in, text out. The only room that knows images, models and processes."""
