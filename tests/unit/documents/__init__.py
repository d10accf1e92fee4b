"""Files of pages, and what is written of them."""
