"""The command line: what is accepted, and one line for what is not."""

from __future__ import annotations

import shlex

import pytest

from pipeline.options import Options, parse

DEFAULTS = Options(
    tickers=("AAPL",),
    initial_load=False,
    duration_s=None,
    interval_s=None,
    skip=frozenset(),
    source=None,
    stream=False,
    workers=1,
    speed=None,
    kafka=None,
    keep_servers=False,
)


@pytest.mark.parametrize(
    ("line", "field", "value"),
    [
        ("AAPL", "tickers", ("AAPL",)),
        ("aapl MSFT Aapl", "tickers", ("AAPL", "MSFT")),
        ("AAPL --workers 2 ^gspc", "tickers", ("AAPL", "^GSPC")),
        ("AAPL --initial-load", "initial_load", True),
        ("AAPL --duration 0.5", "duration_s", 30.0),
        ("AAPL --interval 5", "interval_s", 5.0),
        ("AAPL", "skip", frozenset()),
        ("AAPL --skip-news --skip-reddit", "skip", frozenset({"news", "reddit"})),
        ("AAPL --skip-twitter --skip-economic", "skip", frozenset({"twitter", "economic"})),
        ("AAPL --source simulated", "source", "simulated"),
        ("AAPL --stream", "stream", True),
        ("AAPL --workers 4", "workers", 4),
        ("AAPL --speed=12.5", "speed", 12.5),
        ("AAPL --kafka-host k.example", "kafka", "k.example:9092"),
        ("AAPL --kafka-port 9192", "kafka", "127.0.0.1:9192"),
        ("AAPL --kafka-host ::1 --kafka-port 9192", "kafka", "[::1]:9192"),
        ("AAPL --keep-servers", "keep_servers", True),
    ],
)
def test_reads_each_option(line: str, field: str, value: object) -> None:
    assert getattr(parse(shlex.split(line)), field) == value


def test_has_the_specifications_defaults() -> None:
    assert parse(["AAPL"]) == DEFAULTS


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("", ("no ticker", "AAPL")),
        ("--skip-news", ("no ticker",)),
        ("../x", ("'../x'", "ticker")),
        ("''", ("''", "ticker")),
        ("AAPL --interval 0", ("--interval", "'0'", "seconds")),
        ("AAPL --interval nan", ("--interval", "'nan'")),
        ("AAPL --interval", ("--interval", "expected one argument")),
        ("AAPL --duration -1", ("--duration", "'-1'", "minutes")),
        ("AAPL --duration soon", ("--duration", "'soon'", "minutes")),
        ("AAPL --duration inf", ("--duration", "'inf'")),
        ("AAPL --workers 0", ("--workers", "'0'")),
        ("AAPL --workers 1.5", ("--workers", "'1.5'")),
        ("AAPL --speed -1", ("--speed", "'-1'")),
        ("AAPL --kafka-port 99999", ("--kafka-port", "'99999'", "65535")),
        ("AAPL --kafka-host h:9092", ("--kafka-host", "'h:9092'", "--kafka-port")),
        ("AAPL --source google", ("--source", "'google'", "replay")),
        ("AAPL --nonsense", ("--nonsense", "--help")),
        ("AAPL --intervall 3", ("--intervall", "did you mean --interval?")),
        ("AAPL --skip-new", ("--skip-new", "did you mean --skip-news?")),
    ],
)
def test_complains_in_one_line(
    line: str, names: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        parse(shlex.split(line))
    out, err = capsys.readouterr()
    assert ended.value.code == 2
    assert out == ""
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert [name for name in names if name not in err] == []


def test_help_names_every_option_and_its_default(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        parse(["--help"])
    text = capsys.readouterr().out
    assert ended.value.code == 0
    assert "tickers [tickers ...]" in text
    for option in (
        *(
            "--initial-load",
            "--duration",
            "--interval",
            "--source",
            "--stream",
            "--workers",
            "--speed",
        ),
        *("--skip-news", "--skip-economic", "--skip-twitter", "--skip-reddit"),
        *("--kafka-host", "--kafka-port", "--keep-servers"),
    ):
        # Once in the usage; then with its own entry, which states the default.
        entry = text.split(f"\n  {option}", 1)[1].split("\n  --", 1)[0]
        assert "(default:" in " ".join(entry.split()), option
