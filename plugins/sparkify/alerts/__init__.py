"""Who is told when a run fails or a check warns: what is told, in which words, and how it is sent."""
