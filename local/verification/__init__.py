"""Audits a warehouse: the tables that the source files amount to, against the tables that are there, row by row."""
