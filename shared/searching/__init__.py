"""Searching the web: what a search gives, and the services that do it."""
