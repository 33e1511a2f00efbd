"""The tests of Financial Trends."""
