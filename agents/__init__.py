"""One stage per module: read a topic in batches, decode, apply, store, publish.

Each module has ``attach(app, services)``, which declares its agent; ``app.py`` calls them in the
order in which data flows. Every worker runs every agent.
"""
