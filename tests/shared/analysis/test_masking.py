"""Credentials in a bot's words are masked, and what a diagnosis needs stays."""

from __future__ import annotations

import pytest

from shared.analysis.masking import LEFT_OUT, MASK, masked, masked_value

KEY = "Zx9fQ2mPq8Lr5TvBw3Nc"


@pytest.mark.parametrize(
    "line",
    [
        f"api_key={KEY}",
        f'{{"apiSecret": "{KEY}"}}',
        "password: hunter22x",
        "postgres://bot:pw1234567@db/bots",
        f"Authorization: Bearer {KEY}.{KEY}",
        f"exchange refused the key {KEY}Ab77",
        "token eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U",
        "AKIAIOSFODNN7EXAMPLQ",
        "-----BEGIN RSA PRIVATE KEY-----",
        "private " + "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    ],
)
def test_a_credential_goes(line: str) -> None:
    shown = masked(f"before\n{line}\nafter")
    assert MASK in shown or LEFT_OUT in shown
    assert shown.startswith("before\n")
    assert shown.endswith("\nafter")
    secrets = [word for word in (KEY, "hunter22x", "pw1234567", "AKIAIOSFODNN7EXAMPLQ") if word in line]
    assert not any(word in shown for word in secrets)
    assert masked(shown) == shown


@pytest.mark.parametrize(
    "line",
    [
        '  File "/bot/.venv/lib/python3.11/site-packages/ccxt/base/exchange.py", line 12, in fetch',
        '  File "/runtime/0192f3aa-aaaa-bbbb-cccc-0123456789ab/strategy.py", line 3, in decide',
        "    at evaluate (file:///bot/node_modules/lib/dist/index-2b3c.js:12:5)",
        "KeyError: 'api_key'",
        "ZeroDivisionError: division by zero",
        "order 0192f3aa-aaaa-bbbb-cccc-0123456789ab filled at 2026-11-02T08:00:00.123456Z",
        "binance AuthenticationError: Invalid API-key, IP, or permissions for action.",
        "value = config['rsi_period'] / candles_per_day",
    ],
)
def test_what_shows_the_fault_stays(line: str) -> None:
    assert masked(line) == line


def test_values_are_masked_by_their_members_names() -> None:
    value = {
        "secret_key": "abc",
        "kept": [{"access_token": "a1b2c3d4", "token": "BTC", "n": 1, "ok": True, "note": f"password={KEY}"}],
    }
    assert masked_value(value) == {
        "secret_key": MASK,
        "kept": [{"access_token": MASK, "token": "BTC", "n": 1, "ok": True, "note": f"password={MASK}"}],
    }
