"""Redshift SQL text to a plan of what PostgreSQL shall do: pure functions, no sockets."""
