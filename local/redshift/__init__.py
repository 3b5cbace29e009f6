"""A stand-in for Amazon Redshift: a proxy on the PostgreSQL wire protocol in front of PostgreSQL 18.

Layers, none of which knows the one above: ``protocol`` frames messages; ``sql`` turns Redshift text into a plan;
``load`` turns S3 objects into rows; ``system_tables`` remembers loads; ``session`` and ``server`` put them together.
"""
