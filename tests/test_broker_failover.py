"""What the broker says of offsets while a partition has no leader."""

from __future__ import annotations

from pathlib import Path

import pytest

from broker import Broker
from config import read_settings
from embedded.cluster import KafkaCluster
from topics import STOCK_PRICES

pytestmark = [pytest.mark.integration, pytest.mark.long]


def test_offsets_are_told_once_there_is_a_leader_again(tmp_path: Path) -> None:
    with KafkaCluster(tmp_path) as cluster:
        settings = read_settings(
            _env_file=None,
            kafka_bootstrap_servers=cluster.address,
            topic_replication_factor=3,
            kafka_timeout_s=120,
        )
        with Broker(settings) as broker:
            broker.ensure_topics([STOCK_PRICES])
            before = broker.end_offsets([STOCK_PRICES.name])
            assert set(before.values()) == {0}
            cluster.members[1].kill()
            for _ in range(5):
                assert broker.end_offsets([STOCK_PRICES.name]) == before
                assert broker.start_offsets([STOCK_PRICES.name]) == before
