-- Forget a push of which nothing was sent, as if it had never been. KEYS[1] its record, KEYS[2] the place, KEYS[3] the
-- count; ARGV[1] what stands for it in place and count.
redis.call('DEL', KEYS[1])
redis.call('ZREM', KEYS[3], ARGV[1])
if redis.call('GET', KEYS[2]) == ARGV[1] then redis.call('DEL', KEYS[2]) end
return 1
