"""How a table is loaded: sessions, transactions, COPY, errors, history, checks."""
