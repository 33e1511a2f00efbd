"""Tests of the whole: real workers, a real Kafka, a real MongoDB."""
