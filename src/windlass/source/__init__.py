"""The application database that the rows come from: PostgreSQL, read and never written."""
