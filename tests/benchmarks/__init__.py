"""The benchmarks: what they compute, keep and draw, and one contestant as a whole."""
