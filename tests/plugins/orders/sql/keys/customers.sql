select customer
from staging_orders
where log_date between '{{ log_dates.first }}' and '{{ log_dates.last }}'

union

select customer
from customers_queue
where customer is not null
