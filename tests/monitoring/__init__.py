"""Tests of what a worker says about itself."""
