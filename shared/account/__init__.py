"""What a user may ask about all that is kept of them: to have it, and to have it erased."""
