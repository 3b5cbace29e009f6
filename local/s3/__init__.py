"""AWS on this machine: one moto server whose S3 buckets are kept on disk.

`access` refuses the requests of others than its own stack. `recording` notices which objects a request changed.
`mirror` keeps objects as files and knows nothing of moto's requests. `server` puts all of them around moto.
"""

REGION = "us-west-2"
