"""What developers run by hand; `make` and the tests use them."""
