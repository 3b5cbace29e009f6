"""COPY: objects in S3 to rows that PostgreSQL reads, by Redshift's rules; knows no sockets and no SQL."""
