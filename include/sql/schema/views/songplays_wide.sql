{% import "macros/plays.sql" as plays %}
create or replace view "{{ schema }}".songplays_wide as
{{ plays.wide(schema, personal=true) }}
with no schema binding;
