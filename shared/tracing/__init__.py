"""Traces: which request something belongs to, across processes, and spans where these are collected."""
