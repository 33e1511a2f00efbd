"""Tests of the Records, their codecs and their intake."""
