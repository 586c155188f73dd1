"""Events out: from the outbox to brokers, or to the events function of this installation."""
