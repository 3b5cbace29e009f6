"""Another business by the same operators: orders of a shop, with files, tables and SQL of its own."""
