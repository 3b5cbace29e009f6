{#- The times of plays that are gone, new, or of another date now: its run is then to load the time.
    A play that only got its song is none of these. -#}
with

gone as (

    select
        start_time,
        log_date
    from removed

    except

    select
        start_time,
        log_date
    from added

),

come as (

    select
        start_time,
        log_date
    from added
    where log_date not between '{{ log_dates.first }}' and '{{ log_dates.last }}'

    except

    select
        start_time,
        log_date
    from removed

)

select start_time
from gone
where start_time is not null

union

select start_time
from come
where start_time is not null
