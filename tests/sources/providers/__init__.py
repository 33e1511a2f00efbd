"""Local HTTP servers that answer as the providers of data do."""
