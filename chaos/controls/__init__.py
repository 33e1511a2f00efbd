"""The program with one rule broken on purpose, to show that the judge would see it.

Each module is an app: ``faust -A chaos.controls.applied_twice worker``.
"""
