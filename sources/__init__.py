"""Where data comes from: one provider a module, all behind the protocol in `sources.base`.

- `replay` plays real daily bars that come with a package (`recorded`), the last third as if live.
- `simulated` makes seeded bars for any ticker at any rate.
- `registry.price_source(settings)` returns the one that the settings name.

A source only fetches. Timers, sending, retries and cursors belong to the schedule.
"""
