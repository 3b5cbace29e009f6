select
    order_id,
    line,
    md5(cast(order_id as varchar) || '|' || cast(line as varchar)) as sale_id
from (
    select
        order_id,
        line
    from staging_orders
    where log_date between '{{ log_dates.first }}' and '{{ log_dates.last }}'

    union

    select
        order_id,
        line
    from sales_queue
    where order_id is not null
) as lines
