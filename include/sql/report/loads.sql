select
    count(*) as loads,
    max(ended_at) as last_load_at
from load_history
