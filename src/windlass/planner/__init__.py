"""From facts to a plan: pure functions over values, no database and no clock."""
