"""Reads a worker's metrics."""

from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families

from tests.monitoring.conftest import Ask


class Scrape:
    """The samples of one answer."""

    def __init__(self, text: str) -> None:
        self.families = {family.name: family for family in text_string_to_metric_families(text)}
        self.samples = [sample for family in self.families.values() for sample in family.samples]

    def total(self, name: str, **labels: str) -> float:
        """The sum over all samples of a name that have these labels."""
        return sum(
            sample.value
            for sample in self.samples
            if sample.name == f"financial_trends_{name}" and labels.items() <= sample.labels.items()
        )


def scrape(ask: Ask) -> Scrape:
    """Ask once."""
    answer = ask("/metrics")
    assert answer.status_code == 200, answer.text
    return Scrape(answer.text)
