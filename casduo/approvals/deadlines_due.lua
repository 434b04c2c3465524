-- Claim deadlines that are due: for the time of the lease nobody else gets them. KEYS[1] the deadlines; ARGV[1] now,
-- ARGV[2] how many at most, ARGV[3] when the lease ends. Answers when the next one is due that was not claimed, empty
-- for none, and then what is to be done, in turn with when it was due.
local claimed = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', ARGV[1], 'WITHSCORES', 'LIMIT', 0, ARGV[2])
for i = 1, #claimed, 2 do redis.call('ZADD', KEYS[1], ARGV[3], claimed[i]) end
local following = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')
return {following[2] or '', unpack(claimed)}
