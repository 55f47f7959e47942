"""Where messages to people go."""
