-- Give a push up. KEYS[1] its record, KEYS[2] the place; ARGV[1] what stands for it in the place.
-- Of one without a verdict the record stays, so that its owner can still report it; nobody can read or take it any more.
local state = redis.call('HGET', KEYS[1], 'state')
if state == 'sending' or state == 'waiting' then
  redis.call('HSET', KEYS[1], 'state', 'dropped')
  redis.call('HDEL', KEYS[1], 'code')
elseif state ~= 'dropped' then
  redis.call('DEL', KEYS[1])
end
if redis.call('GET', KEYS[2]) == ARGV[1] then redis.call('DEL', KEYS[2]) end
return 1
