"""What may be asked of a file beside it: one table of options, which come as form fields, in the query or in JSON."""
