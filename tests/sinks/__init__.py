"""Tests of the sinks, on memory and on a real MongoDB."""
