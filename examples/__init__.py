"""Small programs that use the Python API; run them from the project's folder."""
