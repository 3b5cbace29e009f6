with

results as (

    select
        check_name,
        severity,
        offending,
        passed,
        first_log_date,
        last_log_date,
        row_number() over (
            partition by check_name, first_log_date, last_log_date
            order by checked_at desc
        ) as from_the_last
    from data_quality_results

)

select
    check_name,
    severity,
    sum(offending) as offending,
    min(first_log_date) as first_log_date,
    max(last_log_date) as last_log_date,
    count(*) as runs
from results
where from_the_last = 1 and not passed
group by check_name, severity
order by severity asc, offending desc, check_name asc
