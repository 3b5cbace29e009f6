with

prices as (

    select
        product,
        min(price) as price
    from staging_products
    group by product

),

deliveries as (

    select
        staging_orders.*,
        keys.sale_id,
        row_number() over (
            partition by staging_orders.order_id, staging_orders.line
            order by
                staging_orders.log_date,
                staging_orders.ordered_at,
                staging_orders.product,
                staging_orders.quantity
        ) as delivery
    from staging_orders
    inner join keys
        on
            staging_orders.order_id = keys.order_id
            and staging_orders.line = keys.line

)

select
    deliveries.sale_id,
    deliveries.order_id,
    deliveries.line,
    deliveries.customer,
    deliveries.product,
    deliveries.quantity,
    cast(deliveries.quantity * prices.price as numeric(12, 2)) as amount,
    deliveries.log_date
from deliveries
left join prices
    on deliveries.product = prices.product
where deliveries.delivery = 1
