"""Live-looking credentials are found wherever they stand; names, placeholders and reads are left alone."""

from __future__ import annotations

import pytest

from shared.analysis import Finding, analyse_files

KEY = "kJ8sHd72hSkq01LLmznQpw8aQvT4Ue"
HEX = "9f86d081884c7d659a2feaa0c55ad015"
PRIVATE = "0x" + "8f2a559490d1c3f5b7a6e4d2c0b9a8f7" * 2
PHRASE = "ripple abandon kitten zebra orbit mango velvet cactus tunnel goat spoon window"


def found(name: str, text: str) -> list[Finding]:
    return [f for f in analyse_files({name: text}).findings if f.category == "secret"]


LEAKS = [
    f'api_key = "{KEY}"',
    f'API_SECRET: str = "{KEY}"',
    f'self.secret = "{KEY}"'.replace("self", "exchange"),
    f'config = {{"apiKey": "{KEY}"}}',
    f'import ccxt\nexchange = ccxt.kraken({{"secret": "{KEY}"}})',
    f'client = Client(api_secret="{KEY}")',
    f'def connect(token="{KEY}"):\n    return token',
    f'def connect(*, access_key: str = "{HEX}"):\n    return access_key',
    f'import os\nkey = os.environ.get("BINANCE_API_KEY", "{KEY}")',
    f'BINANCE_KEY = b"{KEY}"',
    f'private_key = "{PRIVATE}"',
    f'mnemonic = "{PHRASE}"',
    f'if (token := "{KEY}"):\n    print(token)',
    'passphrase = "Tr4ding!99"',
    'url = "postgres://bot:' + 'Xk29vmQ1@db.internal/bots"',
    'x = "AKIA' + 'QK7ZP3M2N5R8T1VW"',
    'x = "ghp_' + 'a8Kd92LmQ0zXv73NbYtR5uWe1oPi6sJhG4fC"',
    'x = "-----BEGIN ' + 'EC PRIVATE KEY-----"',
    'x = "AIza' + 'SyB7q2Lw9Xk4Tn8Vp1Rm6Zd3Hf5Jc0Gb2Ea"',
    'x = "sk-proj-' + 'kJ8sHd72hSkq01LLmznQpw8aQvT4UeZr"',
]

CLEAN = [
    'api_key = ""',
    "api_key = None",
    'import os\napi_key = os.environ["API_KEY"]',
    'import os\napi_key = os.environ.get("BINANCE_API_KEY", "")',
    'api_key_name = "production-binance-account-1"',
    'API_KEY_FIELD = "exchange_api_key_setting"',
    'secret = "your-api-secret-goes-here-12345"',
    'api_key = "<YOUR_API_KEY_FOR_BINANCE_1>"',
    'api_key = "${BINANCE_API_KEY_2024}"',
    'SECRET_FIELDS = ["api_key", "api_secret", "passphrase"]',
    'secret = "BINANCE_MAINNET_API_SECRET"',
    'schema = {"api_key": {"type": "string", "description": "Key of the exchange, with trading rights"}}',
    'token = "BTC/USDT:USDT-240927"',
    'token_url = "https://api.exchange.com/oauth/v2/token"',
    'password = "password"',
    'def secret_of(config):\n    return config["api_secret"]',
    'checksum = "9f86d081884c7d659a2feaa0c55ad015"',
    'url = "https://user:${PASSWORD}@example.com/"',
    'token = "0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48"',
    'address = "0x8f2a559490d1c3f5b7a6e4d2c0b9a8f7aabbccdd"',
    'key = "momentum_lookback_window_2"',
    'tokens = "kJ8sHd72hSkq"',
]


@pytest.mark.parametrize("text", LEAKS)
def test_a_credential_in_code_is_critical_and_is_never_repeated(text: str) -> None:
    findings = found("main.py", text + "\n")
    assert [f.severity for f in findings] == ["critical"]
    for finding in findings:
        words = finding.message + finding.advice
        assert not any(
            value in words for value in (KEY, HEX, PRIVATE, PHRASE, "Tr4ding", "Xk29", "AKIA", "ghp_")
        )


@pytest.mark.parametrize("text", CLEAN)
def test_names_placeholders_and_reads_are_no_leak(text: str) -> None:
    assert found("main.py", text + "\n") == []


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("bot-config.yaml", f"name: bot\napi_key: {KEY}\n"),
        ("config.json", f'{{"exchange": "kraken",\n "apiSecret": "{KEY}"}}\n'),
        (".env", f"EXCHANGE=kraken\nAPI_SECRET={KEY}\n"),
        ("README.md", f"# Bot\nexport API_KEY={KEY}\n"),
        ("index.rs", "let key = 1;\nlet t = 'ghp_" + "a8Kd92LmQ0zXv73NbYtR5uWe1oPi6sJhG4fC';\n"),
    ],
)
def test_files_of_other_kinds_are_searched_too(name: str, text: str) -> None:
    report = analyse_files({name: text})
    assert [(f.category, f.line) for f in report.findings] == [("secret", 2)]
    assert report.quality_score == 40
    assert report.skipped == (name,)


def test_settings_without_a_credential_are_clean() -> None:
    text = f"""name: rsi-bot
secrets:
  api_key: ${{BINANCE_KEY}}
  api_secret: ""
  password_file: /run/secrets/exchange-password-1
hash: sha256:{HEX}{HEX}
"""
    assert found("bot-config.yaml", text) == []


def test_a_credential_far_into_a_long_line_is_found() -> None:
    assert found("data.json", '{"a": "' + "b " * 5000 + f'", "api_key": "{KEY}"}}')
