create table if not exists staging_orders (
    order_id bigint,
    line integer,
    customer varchar(64),
    city varchar(64),
    product varchar(64),
    quantity integer,
    ordered_at timestamp,
    log_date date
)
compound sortkey (log_date, order_id);

create table if not exists staging_products (
    product varchar(64),
    price numeric(10, 2),
    folder varchar(1024)
);

create table if not exists sales (
    sale_id varchar(32) not null,
    order_id bigint,
    line integer,
    customer varchar(64),
    product varchar(64),
    quantity integer,
    amount numeric(12, 2),
    log_date date
)
sortkey (log_date);

create table if not exists customers (
    customer varchar(64) not null,
    city varchar(64),
    last_ordered_at timestamp
);

create table if not exists products (
    product varchar(64) not null,
    price numeric(10, 2)
);
