"""The settings: described, refused in words, secret where they must be, and read in one place."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from config import Settings, read_settings, without_credentials
from errors import ConfigurationError

ROOT = Path(__file__).parent.parent
FIELDS = Settings.model_fields
VARIABLES = {name.upper(): name for name in FIELDS}


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for variable in VARIABLES:
        monkeypatch.delenv(variable, raising=False)
        monkeypatch.delenv(variable.lower(), raising=False)
    monkeypatch.chdir(tmp_path)


def in_example() -> dict[str, tuple[str, str]]:
    """Default and comment of each variable in .env.example."""
    text = (ROOT / ".env.example").read_text(encoding="utf-8")
    found = {}
    for paragraph in re.split(r"\n\s*\n", text):
        line = re.search(r"^(?:# ?)?([A-Z][A-Z0-9_]+)=(.*)$", paragraph, re.MULTILINE)
        if line is not None:
            assert line[1] not in found, f"{line[1]} stands there twice"
            found[line[1]] = (line[2].strip(), paragraph)
    return found


def in_docs() -> dict[str, tuple[str, str]]:
    """Default and meaning of each variable in docs/settings.md."""
    text = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    found = {}
    for row in re.finditer(r"^\| `([A-Z][A-Z0-9_]+)` \|(.*)\|$", text, re.MULTILINE):
        cells = [cell.strip() for cell in row[2].split(" | ")]
        assert row[1] not in found, f"{row[1]} stands there twice"
        found[row[1]] = (cells[0].strip("`"), cells[-1])
    return found


documents = pytest.mark.parametrize("document", [in_example, in_docs], ids=["example", "docs"])


@documents
def test_documents_have_every_setting_and_no_other(document: Any) -> None:
    assert document().keys() == VARIABLES.keys()


@documents
def test_documents_have_the_defaults(document: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    written = document()
    for variable, (default, _) in written.items():
        monkeypatch.setenv(variable, default)
    read, defaults = read_settings(), Settings.model_construct()
    different = [name for name in FIELDS if getattr(read, name) != getattr(defaults, name)]
    assert different == []
    empty = {VARIABLES[variable] for variable, (default, _) in written.items() if not default}
    assert empty == {name for name in FIELDS if getattr(defaults, name) in (None, ())}


@documents
def test_documents_have_the_descriptions(document: Any) -> None:
    written = document()
    different = [
        variable
        for variable, name in VARIABLES.items()
        if (FIELDS[name].description or "").rstrip(".") not in written[variable][1]
    ]
    assert different == []


@pytest.mark.parametrize("name", FIELDS)
def test_every_setting_has_a_description_of_a_sentence(name: str) -> None:
    description = FIELDS[name].description
    assert description
    assert re.fullmatch(r"[A-Z].*[.]", description)


@pytest.mark.parametrize("name", [name for name in FIELDS if name.endswith(("_s", "_days"))])
def test_units_of_names_are_units_of_descriptions(name: str) -> None:
    unit = "days" if name.endswith("_days") else "econds"
    assert unit in (FIELDS[name].description or "")


@pytest.mark.parametrize(
    ("variable", "value", "rule"),
    [
        ("KAFKA_SECURITY_PROTOCOL", "TLS", "'PLAINTEXT', 'SSL', 'SASL_PLAINTEXT' or 'SASL_SSL'"),
        ("KAFKA_TIMEOUT_S", "0", "greater than 0"),
        ("TOPIC_PARTITIONS", "many", "valid integer"),
        ("TOPIC_PARTITIONS", "0", "greater than or equal to 1"),
        ("TOPIC_PER_TICKER", "perhaps", "valid boolean"),
        ("MONGODB_DATABASE", "a/b", "match pattern"),
        ("WEB_PORT", "70000", "less than or equal to 65535"),
        ("CHECKPOINT_INTERVAL_S", "nan", "less than or equal to 60"),
        ("INDICATORS", "sma 20, smma 3", "smma"),
        ("INDICATORS", "sma 0", "sma"),
        ("TICKERS", "AAPL,A PL", "'A PL' is no ticker: 1 to 32 characters"),
        ("PRICE_SOURCE", "bloomberg", "'replay'"),
        ("BAR_INTERVAL", "0m", "match pattern"),
        ("POSTS_TTL_DAYS", "0", "greater than or equal to 1"),
        ("POSTS_TTL_DAYS", "24856", "less than or equal to 24855"),
    ],
)
def test_a_bad_value_is_named_with_its_variable_and_rule(
    variable: str, value: str, rule: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(ConfigurationError) as told:
        read_settings()
    assert f"setting {variable} is {value!r}: " in str(told.value)
    assert rule in str(told.value)


def test_all_bad_values_are_named_at_once() -> None:
    with pytest.raises(ConfigurationError, match=r"WEB_PORT.*; setting REPLAY_SPEED"):
        read_settings(web_port=0, replay_speed=0)


SECRET = "s3cret"  # noqa: S105 - of nobody


def test_secrets_are_not_shown() -> None:
    settings = read_settings(
        kafka_sasl_password=SECRET, mongodb_uri=f"mongodb://me:{SECRET}@db.example/"
    )
    assert SECRET not in repr(settings) + str(settings) + settings.mongodb_address
    assert SECRET not in settings.model_dump_json()
    assert settings.kafka_sasl_password is not None
    assert settings.kafka_sasl_password.get_secret_value() == SECRET


@pytest.mark.parametrize("name", ["kafka_sasl_password", "mongodb_uri"])
def test_secrets_are_not_shown_in_errors(name: str) -> None:
    with pytest.raises(ConfigurationError, match=f"setting {name.upper()} is a value: ") as told:
        read_settings(**{name: [SECRET]})
    assert SECRET not in str(told.value)
    assert told.value.__cause__ is None
    assert told.value.__suppress_context__


def test_what_sounds_secret_is_secret() -> None:
    for name, field in FIELDS.items():
        sounds = re.search(r"password|secret|token|api_key|webhooks|_uri$", name) is not None
        assert sounds == ("SecretStr" in repr(field.annotation)), name


@pytest.mark.parametrize(
    ("uri", "shown"),
    [
        ("mongodb://db.example:27017", "mongodb://db.example:27017"),
        ("mongodb://me:s3cret@db.example:27017/", "mongodb://db.example:27017/"),
        ("mongodb://me@db.example", "mongodb://db.example"),
        (
            "mongodb://me:s3cret@a:1,b:2,c:3/admin?replicaSet=rs0&tls=true",
            "mongodb://a:1,b:2,c:3/admin?replicaSet=rs0&tls=true",
        ),
        ("mongodb+srv://me:s3cret@db.example/", "mongodb+srv://db.example/"),
        # Not percent-encoded, as it would have to be: still nothing may show.
        ("mongodb://me:s3cret/x@db.example", "mongodb://db.example"),
        ("mongodb://me:s3cret?x@db.example", "mongodb://db.example"),
        ("mongodb://me:s3cret#x@db.example", "mongodb://db.example"),
        ("mongodb://me:s3cret@x@db.example", "mongodb://db.example"),
        ("me:s3cret@db.example", "db.example"),
        # An option can be a password, too.
        (
            "mongodb://a:1/?tls=true&tlsCertificateKeyFilePassword=s3cret",
            "mongodb://a:1/?tls=true",
        ),
        ("mongodb://a:1/?authMechanismProperties=AWS_SESSION_TOKEN:s3cret", "mongodb://a:1/"),
        ("mongodb://me:s3cret@a:1/?x=http://b", "mongodb://a:1/?x=http://b"),
    ],
)
def test_addresses_without_credentials(uri: str, shown: str) -> None:
    assert without_credentials(uri) == shown


@pytest.mark.parametrize(
    ("text", "tickers"),
    [
        ("AAPL", ("AAPL",)),
        ("AAPL,MSFT", ("AAPL", "MSFT")),
        (" aapl , brk-b ,^gspc", ("AAPL", "BRK-B", "^GSPC")),
        ("MSFT,AAPL,msft", ("MSFT", "AAPL")),
        ("AAPL,", ("AAPL",)),
        ("AAPL, ", ("AAPL",)),
        (",,AAPL,,", ("AAPL",)),
        (" ", ()),
    ],
)
def test_tickers_are_split_and_tidied(
    text: str, tickers: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TICKERS", text)
    assert read_settings().tickers == tickers


def test_tickers_can_be_given_as_a_list() -> None:
    assert read_settings(tickers=["aapl", "MSFT"]).tickers == ("AAPL", "MSFT")


def test_whether_servers_were_given(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert not read_settings().kafka_given
    assert not read_settings().mongodb_given
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:9092")
    assert read_settings().kafka_given
    assert not read_settings().mongodb_given
    (tmp_path / ".env").write_text("MONGODB_URI=mongodb://db.example\n")
    assert read_settings().mongodb_given
    assert read_settings(mongodb_uri=SecretStr("mongodb://other")).mongodb_given


def test_empty_values_are_no_values(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in VARIABLES:
        monkeypatch.setenv(variable, "")
    settings = read_settings()
    assert settings == Settings.model_construct()
    assert not settings.kafka_given
    assert not settings.mongodb_given


def test_the_environment_goes_before_the_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / ".env").write_text("WEB_PORT=1\nTOPIC_PARTITIONS=2\nANOTHER_PROGRAMS=1\n")
    monkeypatch.setenv("WEB_PORT", "3")
    settings = read_settings()
    assert (settings.web_port, settings.topic_partitions) == (3, 2)
    assert read_settings(web_port=4).web_port == 4


def test_settings_cannot_be_changed() -> None:
    settings = read_settings()
    with pytest.raises(ValidationError, match="frozen"):
        settings.web_port = 1
