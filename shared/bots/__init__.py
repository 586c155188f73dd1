"""What is known of a session's bots from events: facts, and what a session's context shows of them."""
