select
    product,
    min(price) as price
from staging_products
where product in (select product from keys)
group by product
