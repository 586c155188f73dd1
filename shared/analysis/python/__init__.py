"""The analysis of Python code."""
