{#- A check's result holds until a later run of its dates, or of a range with them in it. -#}
with

results as (

    select
        check_name,
        severity,
        offending,
        passed,
        first_log_date,
        last_log_date,
        checked_at,
        row_number() over (
            partition by check_name, first_log_date, last_log_date
            order by checked_at desc
        ) as from_the_last
    from data_quality_results

),

latest as (

    select *
    from results
    where from_the_last = 1

)

select
    broken.check_name,
    broken.severity,
    sum(broken.offending) as offending,
    min(broken.first_log_date) as first_log_date,
    max(broken.last_log_date) as last_log_date,
    count(*) as runs
from latest as broken
left join latest as later
    on
        broken.check_name = later.check_name
        and broken.checked_at < later.checked_at
        and broken.first_log_date >= later.first_log_date
        and broken.last_log_date <= later.last_log_date
where not broken.passed and later.check_name is null
group by broken.check_name, broken.severity
order by broken.severity asc, offending desc, broken.check_name asc
