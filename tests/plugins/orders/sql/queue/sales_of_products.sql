select
    order_id,
    line
from staging_orders
where
    product in (
        select product
        from added

        union

        select product
        from removed
    )
