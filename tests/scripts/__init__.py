"""What stands in `scripts/`."""
