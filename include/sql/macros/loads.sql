{#-
    Staged files that a run has yet to take on to a table: what they say is on its way there. Those that the table
    already heard of are left out, though their own run failed: they were staged before songplays was last loaded for
    the log dates by a run that loaded the table too. Both hold the mutex of songplays, so their ends tell which was first.
-#}
{%- macro on_the_way(staging, table, log_dates) -%}
select
        staged.first_log_date,
        staged.last_log_date,
        staged.run_id,
        staged.ended_at as staged_at
    from load_history as staged
    left join load_history as taken_on
        on
            staged.dag_id = taken_on.dag_id
            and staged.run_id = taken_on.run_id
            and staged.ended_at < taken_on.ended_at
            and taken_on.table_name = '{{ table }}'
    where
        staged.table_name = '{{ staging }}'
        and taken_on.run_id is null
        and staged.ended_at > (
            select max(plays.ended_at)
            from load_history as plays
            inner join load_history as loaded
                on
                    plays.dag_id = loaded.dag_id
                    and plays.run_id = loaded.run_id
                    and plays.ended_at <= loaded.ended_at
            where
                plays.table_name = 'songplays'
                and plays.first_log_date <= '{{ log_dates.first }}'
                and plays.last_log_date >= '{{ log_dates.last }}'
                and loaded.table_name = '{{ table }}'
        )
{%- endmacro -%}

{#- The span of the loaded log dates: one event of another year must not widen what is drawn. -#}
{%- macro loaded_span() -%}
select
        cast(min(log_date) as timestamp) as begins_at,
        dateadd(day, 1, cast(max(log_date) as timestamp)) as ends_at
    from staged_dates
    where table_name = 'staging_events'
{%- endmacro -%}

{#- The log dates that are on their way to a table. -#}
{%- macro dates_on_the_way(table, log_dates) -%}
select distinct staged_dates.log_date
    from staged_dates
    inner join (
    {{ on_the_way('staging_events', table, log_dates) }}
    ) as coming
        on
            staged_dates.log_date >= coming.first_log_date
            and staged_dates.log_date <= coming.last_log_date
    where staged_dates.table_name = 'staging_events'
{%- endmacro -%}
