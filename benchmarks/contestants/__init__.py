"""The contestants, one file each: what runs in the process that is measured.

`benchmarks.roster` says how each is started; docs/benchmarks.md, what each does and why it is fair.
"""
