"""What each user may use, and whose key pays for it."""
