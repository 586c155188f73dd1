"""Backtests of bots: their own code on past candles, what it earned, and whether that can be believed."""
