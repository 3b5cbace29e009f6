"""The report on what is played: its sentences, its charts, its page, and where it lies."""
