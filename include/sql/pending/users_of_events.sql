with

gone as (

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

)

select distinct user_id
from gone
where user_id is not null
