"""Honesty checks: each file says what it asks of the bot and what it makes of the answers."""
