"""What a deployment needs from the project: its secrets, and the files in the layout that a service expects.

Python's own library is enough, so that it runs before anything is installed.
"""
