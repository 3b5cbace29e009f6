{#- Checks that are one pattern. Each is a SELECT of the rows that break the rule, among the rows of `scope`. -#}

{#- A row number, not a count by key: the planner believes that a primary key is unique
    (https://docs.aws.amazon.com/redshift/latest/dg/t_Defining_constraints.html). Of the rows of a log date; a whole table
    would be sorted. -#}
{%- macro unique(table, key, scope) -%}
select {{ key }}
from (
    select
        {{ key }},
        row_number() over (partition by {{ key }} order by {{ key }}) as copy
    from {{ table }}
    where {{ scope }}
) as numbered
where copy = 2
{%- endmacro -%}

{#- Of a whole table. An expression, because the planner believes nothing of it. -#}
{%- macro unique_text(table, key) -%}
select
    {{ key }},
    count(*) as row_count
from (
    select {{ key }} || '' as {{ key }}
    from {{ table }}
) as keys
group by {{ key }}
having count(*) > 1
{%- endmacro -%}

{%- macro accepted_values(column, values, scope) -%}
select
    log_date,
    {{ column }},
    count(*) as event_count
from staging_events
where
    {{ scope }}
    and ({{ column }} is null or {{ column }} not in ({{ values | join(", ") }}))
group by log_date, {{ column }}
{%- endmacro -%}

{%- macro required(table, shown, columns, scope) -%}
select
    {{ shown | join(", ") }}
from {{ table }}
where
    {{ scope }}
    and ({% for column in columns %}{{ column }} is null{{ " or " if not loop.last }}{% endfor %})
{%- endmacro -%}

{#- Plays of the scope whose value is in no row of another table, and does not wait in that table's queue. -#}
{%- macro relationship(column, to, scope, near="1 = 1") -%}
select
    plays.songplay_id,
    plays.{{ column }}
from (
    select
        songplay_id,
        log_date,
        {{ column }}
    from songplays
    where {{ scope }} and {{ column }} is not null
) as plays
left join (
    select {{ column }}
    from {{ to }}
    where {{ near }}
) as known
    on plays.{{ column }} = known.{{ column }}
left join {{ to }}_queue as queued
    on plays.{{ column }} = queued.{{ column }}
where
    known.{{ column }} is null
    and queued.{{ column }} is null
    and plays.log_date not in (
        select log_date
        from {{ to }}_queue
        where log_date is not null
    )
{%- endmacro -%}

{#- The rows of staging_events of the log dates. -#}
{%- macro events_of(log_dates) -%}
log_date between '{{ log_dates.first }}' and '{{ log_dates.last }}'
{%- endmacro -%}

{#- The rows of users of the log dates' events. -#}
{%- macro users_of(log_dates) -%}
user_id in (
        select user_id
        from staging_events
        where log_date between '{{ log_dates.first }}' and '{{ log_dates.last }}'
    )
{%- endmacro -%}

{#- The plays of the log dates, by literals of the sort key. -#}
{%- macro plays_of(log_dates, bounds) -%}
log_date between '{{ log_dates.first }}' and '{{ log_dates.last }}'
    and {{ bounds.start_time }}
{%- endmacro -%}
