-- name: load_history.date_is_recorded
-- severity: error
-- proves: load_history has every file of the log dates, and every table loaded by them
with

staged as (

    select
        log_date,
        1 as files
    from staging_events
    where log_date between '{{ log_dates.first }}' and '{{ log_dates.last }}'

    union

    select
        log_date,
        files
    from staged_dates
    where
        table_name = 'staging_events'
        and log_date between '{{ log_dates.first }}' and '{{ log_dates.last }}'

),

dates as (

    select
        log_date,
        max(files) as files
    from staged
    group by log_date

),

loaded_by_date as (
    {%- for table in dated_tables %}
        select cast('{{ table }}' as varchar(128)) as table_name
        {%- if not loop.last %}
            union all
        {%- endif %}
    {%- endfor %}

),

loads as (

    select
        table_name as loaded_table,
        first_log_date,
        last_log_date,
        files
    from load_history
    where
        first_log_date <= '{{ log_dates.last }}'
        and last_log_date >= '{{ log_dates.first }}'

)

select
    dates.log_date,
    loaded_by_date.table_name,
    dates.files
from dates
cross join loaded_by_date
left join loads
    on
        loaded_by_date.table_name = loads.loaded_table
        and dates.log_date >= loads.first_log_date
        and dates.log_date <= loads.last_log_date
        and (dates.files <= loads.files or loads.loaded_table <> 'staging_events')
where loads.loaded_table is null
