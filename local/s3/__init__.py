"""AWS on this machine: one moto server whose S3 buckets are kept on disk.

`recording` notices which objects a request changed, `mirror` keeps objects as files and knows nothing of moto's
requests, `server` puts both around moto.
"""

REGION = "us-west-2"
