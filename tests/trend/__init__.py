"""Tests of the trend's formula, without anything that streams."""
