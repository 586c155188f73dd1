"""Verifications of bots: run, tried, judged, and put on record for exactly the bytes that were tried."""
