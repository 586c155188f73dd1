"""Market data: candles from exchanges and files, and what they measure.

Other code reads candles of a session's file, or of a generated bot's sample.csv, with `read_candles_csv`.
"""

from __future__ import annotations

from shared.market.candles import Candles
from shared.market.csv_file import read_candles_csv

__all__ = ["Candles", "read_candles_csv"]
