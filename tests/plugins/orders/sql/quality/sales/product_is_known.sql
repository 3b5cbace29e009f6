-- name: sales.product_is_known
-- severity: warn
-- proves: every sale of the log dates is of a product that has a price
select
    sale_id,
    product
from sales
where
    log_date between '{{ log_dates.first }}' and '{{ log_dates.last }}'
    and amount is null
