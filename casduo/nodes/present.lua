-- What the processes say of themselves that have said so of late. KEYS: until when, and what.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local names = redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. now, '+inf')
if #names == 0 then return {} end
return redis.call('HMGET', KEYS[2], unpack(names))
