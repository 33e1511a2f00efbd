"""Tests of the chaos run: its judge sees what is wrong, and a short run of it."""
