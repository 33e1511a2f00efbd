"""Measurements of the program, one question each: `python -m benchmarks.<name> --help`."""
