"""The sources: one contract for all, then what is special to each."""
