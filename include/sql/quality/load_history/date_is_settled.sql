-- name: load_history.date_is_settled
-- severity: warn
-- proves: no run has staged the log dates again and is yet to load them
with

queued as (

    {%- for table in dated_tables if table != "staging_events" %}
        select log_date
        from {{ table }}_queue
        where log_date between '{{ log_dates.first }}' and '{{ log_dates.last }}'
        {%- if not loop.last %}
            union
        {%- endif %}
    {%- endfor %}

),

latest_first as (

    select
        queued.log_date,
        load_history.run_id,
        load_history.ended_at as staged_at,
        row_number() over (
            partition by queued.log_date
            order by load_history.ended_at desc
        ) as recency
    from queued
    left join load_history
        on
            load_history.table_name = 'staging_events'
            and queued.log_date >= load_history.first_log_date
            and queued.log_date <= load_history.last_log_date

)

select
    log_date,
    run_id,
    staged_at
from latest_first
where recency = 1
