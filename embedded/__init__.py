"""A real Kafka and a real MongoDB without Docker, for a first run, development and tests.

The servers come from packages (`requirements-embedded.txt`), listen on the loopback address only
and keep their data in one folder, `.data/` by default. `python -m embedded --help` tells how to use
them by hand, `embedded.stack` and `embedded.locate` serve scripts and tests. Production code never
imports this package.
"""
