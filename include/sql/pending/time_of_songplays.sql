with

doubtful as (

    select start_time
    from outgoing

    except

    select start_time
    from incoming

),

foreign_dates as (

    select
        start_time,
        log_date
    from incoming
    where log_date not between '{{ log_dates.first }}' and '{{ log_dates.last }}'

    except

    select
        start_time,
        log_date
    from outgoing

)

select start_time from doubtful
where start_time is not null
union
select start_time from foreign_dates
where start_time is not null
