"""Tests of the checkpointed tables, without a broker."""
