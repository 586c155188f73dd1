"""The session store on SQLite and Postgres: the same transactions over SQLAlchemy Core."""
