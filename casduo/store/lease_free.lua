-- Give a lease back. KEYS[1] the lease, ARGV[1] the token it was taken with. Answers 1 if it was still held with that.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])
