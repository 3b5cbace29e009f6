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
{%- macro has_a_time() -%}
ts between 946684800000 and 4102444799999
{%- endmacro -%}

{#-
    Epoch milliseconds to a UTC timestamp, in integers so that none is lost. Null for any other ts: the multiplication
    fails for one that no timestamp holds, and with it the load of every date.
-#}
{%- macro start_time() -%}
case
            when {{ has_a_time() }}
                then timestamp 'epoch' + (ts / 1000) * interval '1 second'
                    + (ts % 1000) * interval '1 millisecond'
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

{#- The identities that a replaced partition no longer holds. -#}
{%- macro gone() -%}
select
        session_id,
        item_in_session,
        ts,
        user_id
    from outgoing

    except

    select
        session_id,
        item_in_session,
        ts,
        user_id
    from incoming
{%- endmacro -%}

{#- The identities that a run has to do with: those of its log dates, and those that other tasks left to songplays. -#}
{%- macro touched(log_dates) -%}
select
        session_id,
        item_in_session,
        ts,
        user_id
    from staging_events
    where log_date between '{{ log_dates.first }}' and '{{ log_dates.last }}'

    union

    select
        session_id,
        item_in_session,
        ts,
        user_id
    from songplays_pending
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
