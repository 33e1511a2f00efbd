"""The checkpointed Faust tables, and the live objects over them."""
