"""Pages drawn by lot whose words, rows and tables are known: what `python -m benchmarks accuracy` reads."""
