"""A session's bot on its way to the platform: checked, packed, sent once, recorded."""
