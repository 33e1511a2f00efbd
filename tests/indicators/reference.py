"""What `ta` computes for the same bars; the benchmarks check their contestants by it as well."""

from benchmarks.oracle import differences, near_flat, reference

__all__ = ["differences", "near_flat", "reference"]
