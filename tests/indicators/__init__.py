"""The tests of the indicators."""
