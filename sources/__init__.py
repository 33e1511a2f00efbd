"""Where data comes from: one provider a module, all behind the protocol in `sources.base`.

- `replay` plays real daily bars that come with a package (`recorded`), the last third as if live.
- `simulated` makes seeded bars for any ticker at any rate.
- `rss`, `reddit`, `twitter`, `fred` and `yahoo` are live; `simulated_text` and `simulated_economy`
  make up what there is no provider for, along a `market_path` that is known ahead.
- `adjustments` mends what a dividend or split changes in what `yahoo` brought.
- `registry` returns the sources that the settings mean.

A source only fetches. Timers, sending, retries and cursors belong to the schedule.
"""
