"""The files of deploy/: Prometheus and Grafana ask for metrics that a running worker has."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import promql_parser
import pytest
import yaml
from promql_parser import Expr, MatrixSelector, VectorSelector

from tests.monitoring.conftest import Ask
from tests.monitoring.scraping import scrape
from tests.test_docs import names, rows, section

DEPLOY = Path(__file__).parent.parent.parent / "deploy"
PROMETHEUS = DEPLOY / "prometheus"
CONFIG = yaml.safe_load((PROMETHEUS / "prometheus.yml").read_text(encoding="utf-8"))
RULES: dict[str, dict[str, Any]] = {
    rule["alert"]: rule
    for path in sorted(PROMETHEUS.glob("rules/*.yml"))
    for group in yaml.safe_load(path.read_text(encoding="utf-8"))["groups"]
    for rule in group["rules"]
}
DASHBOARDS = {
    path.name: orjson.loads(path.read_bytes())
    for path in sorted((DEPLOY / "grafana" / "dashboards").glob("*.json"))
}
PANELS = [
    pytest.param(panel, id=f"{name}: {panel['title']}")
    for name, dashboard in DASHBOARDS.items()
    for panel in dashboard["panels"]
    if panel["type"] != "row"
]
#: Made by Prometheus itself, of every target.
PROMETHEUS_OWN = {"up"}
#: What Grafana puts in, by what Prometheus could read in its place.
VARIABLES = {"$__rate_interval": "1m", "$instance": ".+", "${datasource}": "prometheus"}


def parsed(text: str) -> Expr:
    """The expression, with something in place of Grafana's variables."""
    for variable, value in VARIABLES.items():
        text = text.replace(variable, value)
    assert "$" not in text
    return promql_parser.parse(text)


def selectors(expression: Expr) -> list[tuple[str, set[str]]]:
    """Every metric that an expression selects, with the labels that it selects by."""
    found: list[tuple[str, set[str]]] = []

    def visit(node: Any) -> bool:
        if isinstance(node, MatrixSelector):
            node = node.vector_selector
        if isinstance(node, VectorSelector):
            assert node.name is not None
            found.append((node.name, {one.name for one in node.matchers.matchers}))
        return True

    promql_parser.walk(expression, visit)
    return found


def expressions() -> Iterator[str]:
    """What is asked of Prometheus, by rules and panels."""
    yield from (rule["expr"] for rule in RULES.values())
    for dashboard in DASHBOARDS.values():
        for panel in dashboard["panels"]:
            yield from (target["expr"] for target in panel.get("targets", ()))
        for variable in dashboard["templating"]["list"]:
            if variable["type"] == "query":
                yield re.fullmatch(r"label_values\((.*), \w+\)", variable["definition"])[1]  # type: ignore[index]


@pytest.mark.integration
def test_every_metric_that_is_asked_for_exists(ask: Ask) -> None:
    found = scrape(ask)
    exist = {sample.name for sample in found.samples} | PROMETHEUS_OWN
    asked = [one for text in expressions() for one in selectors(parsed(text))]
    assert len(asked) > 40
    assert {name for name, _ in asked} - exist == set()


@pytest.mark.integration
def test_every_label_that_is_asked_for_exists(ask: Ask) -> None:
    labels: dict[str, set[str]] = {name: set() for name in PROMETHEUS_OWN}
    for sample in scrape(ask).samples:
        labels.setdefault(sample.name, set()).update(sample.labels)
    targets = {"job", "instance"}
    for text in expressions():
        asked = selectors(parsed(text))
        for name, matched in asked:
            assert matched <= labels[name] | targets, text
        grouped = re.findall(r"\bby \(([^)]*)\)", text)
        by = {name.strip() for group in grouped for name in group.split(",")}
        assert by <= targets.union(*(labels[name] for name, _ in asked)), text


@pytest.mark.parametrize("name", RULES)
def test_a_rule_says_what_is_wrong(name: str) -> None:
    rule = RULES[name]
    parsed(rule["expr"])
    assert rule["labels"]["severity"] in ("critical", "warning")
    assert rule["annotations"]["summary"]
    assert rule["annotations"]["description"]


def test_the_documents_say_what_to_do_about_every_rule() -> None:
    told = [names(row[0])[0] for row in rows(section("docs/monitoring.md", "Alerts"))]
    assert told == list(RULES)


def test_prometheus_finds_all_workers_and_shows_the_token() -> None:
    (job,) = CONFIG["scrape_configs"]
    # Rules and dashboard name it.
    assert job["job_name"] == "financial-trends"
    assert job["authorization"] == {
        "type": "Bearer",
        "credentials_file": "/etc/prometheus/web_token",
    }
    (found,) = job["dns_sd_configs"]
    assert (found["names"], found["port"]) == (["financial-trends-app", "worker"], 6066)
    assert CONFIG["rule_files"] == ["rules/*.yml"]


@pytest.mark.parametrize("panel", PANELS)
def test_a_panel_asks_the_datasource_that_was_chosen(panel: dict[str, Any]) -> None:
    assert panel["title"]
    assert panel["description"]
    assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
    assert panel["targets"]
    refs = [target["refId"] for target in panel["targets"]]
    assert len(set(refs)) == len(refs)
    for target in panel["targets"]:
        assert target["datasource"] == panel["datasource"]
        parsed(target["expr"])


@pytest.mark.parametrize("name", DASHBOARDS)
def test_panels_have_numbers_of_their_own_and_do_not_overlap(name: str) -> None:
    dashboard = DASHBOARDS[name]
    numbers = [panel["id"] for panel in dashboard["panels"]]
    assert len(set(numbers)) == len(numbers)
    taken: dict[tuple[int, int], str] = {}
    for panel in dashboard["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        for x in range(place["x"], place["x"] + place["w"]):
            for y in range(place["y"], place["y"] + place["h"]):
                assert taken.setdefault((x, y), panel["title"]) == panel["title"]


def test_grafana_reads_the_dashboards_where_they_are_mounted() -> None:
    provisioning = DEPLOY / "grafana" / "provisioning"
    (source,) = yaml.safe_load((provisioning / "datasources" / "prometheus.yml").read_text())[
        "datasources"
    ]
    assert (source["type"], source["isDefault"]) == ("prometheus", True)
    (provider,) = yaml.safe_load(
        (provisioning / "dashboards" / "financial-trends.yml").read_text()
    )["providers"]
    assert provider["options"]["path"] == "/var/lib/grafana/dashboards"
    kinds = [one["type"] for one in DASHBOARDS["financial-trends.json"]["templating"]["list"]]
    assert kinds == ["datasource", "query"]


@pytest.mark.skipif(shutil.which("promtool") is None, reason="Prometheus is not installed here")
def test_prometheus_itself_takes_the_rules() -> None:
    """It checks the rules, and plays through stories in which they must fire, or must not."""
    for arguments in (
        ("check", "rules", *map(str, PROMETHEUS.glob("rules/*.yml"))),
        ("test", "rules", str(Path(__file__).parent / "stories.yml")),
    ):
        done = subprocess.run(  # noqa: S603 - arguments of our own
            ["promtool", *arguments],  # noqa: S607 - wherever it is installed
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
