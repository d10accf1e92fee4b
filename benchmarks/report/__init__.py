"""The report of a measurement: its data, and how it is shown as text, tables, plots and a page."""
