"""COPY: objects in S3 to PostgreSQL's binary rows by Redshift's rules; knows no sockets and no SQL."""
