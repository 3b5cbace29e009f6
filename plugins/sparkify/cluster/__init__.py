"""The AWS resources of the warehouse."""
