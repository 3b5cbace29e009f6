{% import "macros/plays.sql" as plays %}
create or replace view "{{ schema }}".songplays_without_names as
{{ plays.wide(schema, personal=false) }}
with no schema binding;
