"""Chat models: one port, one adapter a vendor, chosen in select.py."""
