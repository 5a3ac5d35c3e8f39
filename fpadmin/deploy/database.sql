-- Run once by PostgreSQL's image on an empty volume. The program's role owns its database and is no superuser.
\set ON_ERROR_STOP on
\set password `cat /run/secrets/database_password`
CREATE ROLE fpadmin LOGIN PASSWORD :'password';
CREATE DATABASE fpadmin OWNER fpadmin TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C';
REVOKE ALL ON DATABASE fpadmin FROM PUBLIC;
