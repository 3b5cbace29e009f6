select
    customer,
    city,
    ordered_at as last_ordered_at
from (
    select
        staging_orders.customer,
        staging_orders.city,
        staging_orders.ordered_at,
        row_number() over (
            partition by staging_orders.customer
            order by
                staging_orders.ordered_at desc,
                staging_orders.order_id desc,
                staging_orders.line desc
        ) as place
    from staging_orders
    where staging_orders.customer in (select customer from keys)
) as ranked
where place = 1
