-- The loading user of docker-compose.yaml's warehouse; PostgreSQL's image runs it once, by psql.
\getenv loading_password LOADING_PASSWORD
create role sparkify login createrole password :'loading_password';
alter database dev owner to sparkify;
alter schema public owner to sparkify;
