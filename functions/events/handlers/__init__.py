"""What is done about each type of event: one file a type, registered in registry.py."""
