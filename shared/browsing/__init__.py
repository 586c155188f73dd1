"""Reading pages of the web safely: policy, connection, extraction."""
