"""Checks a deployment: topics, producer, consumer, and every document in MongoDB.

A script, not a test that pytest collects::

    python test_kafka_integration.py AAPL MSFT
    python test_kafka_integration.py --help
"""

from __future__ import annotations

import sys

if __name__ == "__main__":
    try:
        # It takes a moment, in which the user may have second thoughts.
        from integration_check.command import main

        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
