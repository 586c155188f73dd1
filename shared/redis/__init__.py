"""Redis or Valkey, where REDIS_URL names one: live streams, caches, permits. Losing it costs speed alone."""
