"""Rules of our own for trading code, one file each; rules.py lists them."""
