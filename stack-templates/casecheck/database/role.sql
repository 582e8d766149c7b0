-- The password of the release is the database's from now on, also when the volume is older than it. Over the socket, where
-- PostgreSQL asks for none.
\set ON_ERROR_STOP on
\set password `cat /run/secrets/password`
SELECT 'CREATE ROLE casecheck' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'casecheck') \gexec
ALTER ROLE casecheck LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION PASSWORD :'password';
SELECT 'CREATE DATABASE casecheck OWNER casecheck' WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'casecheck') \gexec
-- The superuser is for the socket only.
ALTER ROLE postgres PASSWORD NULL;
