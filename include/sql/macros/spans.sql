{#- The span of the loaded log dates: one event of another year must not widen what is drawn. -#}
{%- macro loaded_span() -%}
select
        cast(min(log_date) as timestamp) as begins_at,
        dateadd(day, 1, cast(max(log_date) as timestamp)) as ends_at
    from staged_dates
    where table_name = 'staging_events'
{%- endmacro -%}
