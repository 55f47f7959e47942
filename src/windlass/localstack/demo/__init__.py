"""The demo: the story of one real backfill, told again on the local stack."""
