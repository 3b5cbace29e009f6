"""Compare any Redshift, by its address, with what Amazon's documentation says of the statements we rely on."""
