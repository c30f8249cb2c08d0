"""Students, and their ways through the programs of the university."""
