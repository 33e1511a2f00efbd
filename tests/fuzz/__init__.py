"""The fuzzer: that it sees what is wrong, and a short run of it."""
