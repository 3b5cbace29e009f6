{#- The identity of an event, null equal to null, as one value. -#}
{%- macro songplay_id() -%}
md5(
            coalesce(cast(session_id as varchar), '') || '|'
            || coalesce(cast(item_in_session as varchar), '') || '|'
            || coalesce(cast(ts as varchar), '') || '|'
            || coalesce(cast(user_id as varchar), '')
        )
{%- endmacro -%}

{#- Whether an event can have happened then: from 2000-01-01 to before 2100-01-01 UTC. -#}
{%- macro has_a_time(ts="ts") -%}
{{ ts }} between 946684800000 and 4102444799999
{%- endmacro -%}

{#- The ts of an event, below all others if there is none. -#}
{%- macro known_ts() -%}
coalesce(case when {{ has_a_time() }} then ts end, -1)
{%- endmacro -%}

{#-
    Epoch milliseconds to a UTC timestamp, in integers so that none is lost. Null for any other ts: the multiplication
    fails for one that no timestamp holds, and with it the load of every date.
-#}
{%- macro start_time(ts="ts") -%}
case
            when {{ has_a_time(ts) }}
                then dateadd(
                    ms,
                    {{ ts }} % 1000,
                    timestamp 'epoch' + ({{ ts }} / 1000) * interval '1 second'
                )
        end
{%- endmacro -%}

{#- Which delivery of an event counts: the first in this order. -#}
{%- macro delivery_order() -%}
log_date,
                artist nulls last,
                auth nulls last,
                first_name nulls last,
                gender nulls last,
                item_in_session nulls last,
                last_name nulls last,
                length nulls last,
                level nulls last,
                location nulls last,
                method nulls last,
                page nulls last,
                registration nulls last,
                session_id nulls last,
                song nulls last,
                status nulls last,
                ts nulls last,
                user_agent nulls last,
                user_id nulls last
{%- endmacro -%}

{#- Of each event among these deliveries, which have its songplay_id, the one that counts. Only the events delivered
    more than once are ranked. -#}
{%- macro winners(deliveries, columns) -%}
select
        {%- for column in columns %}
        {{ deliveries }}.{{ column }}{{ "," if not loop.last }}
        {%- endfor %}
    from {{ deliveries }}
    left join (
        select songplay_id
        from {{ deliveries }}
        group by songplay_id
        having count(*) > 1
    ) as repeated
        on {{ deliveries }}.songplay_id = repeated.songplay_id
    where repeated.songplay_id is null

    union all

    select
        {%- for column in columns %}
        {{ column }}{{ "," if not loop.last }}
        {%- endfor %}
    from (
        select
            {{ deliveries }}.*,
            row_number() over (
                partition by {{ deliveries }}.songplay_id
                order by
                {{ delivery_order() }}
            ) as delivery
        from {{ deliveries }}
        inner join (
            select songplay_id as repeated_id
            from {{ deliveries }}
            group by songplay_id
            having count(*) > 1
        ) as repeated
            on {{ deliveries }}.songplay_id = repeated.repeated_id
    ) as ranked
    where delivery = 1
{%- endmacro -%}

{#- Every delivery of an event in staging: of an event delivered twice the first in this order counts. -#}
{%- macro delivered_events() -%}
select
        *,
        row_number() over (
            partition by session_id, item_in_session, ts, user_id
            order by
                {{ delivery_order() }}
        ) as delivery
    from staging_events
{%- endmacro -%}
