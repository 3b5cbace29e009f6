"""Everything needed to run the project on one machine without an AWS account."""
