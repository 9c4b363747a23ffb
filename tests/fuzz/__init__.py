"""Fuzzing of the parsers of foreign input: `python -m tests.fuzz`."""
