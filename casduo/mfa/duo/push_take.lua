-- Read a push, and use it up if there is a verdict or its time is over: of fifty who do so at once one gets it.
-- KEYS[1] its record, KEYS[2] the place; ARGV[1] what stands for it in the place, ARGV[2] now, ARGV[3] for how long it may
-- wait (milliseconds). Answers the record, empty for none.
local record = redis.call('HGETALL', KEYS[1])
local found = redis.call('HMGET', KEYS[1], 'state', 'sent')
local state = found[1]
if not state or state == 'dropped' or state == 'sending' then return record end
if state == 'waiting' and tonumber(found[2]) + tonumber(ARGV[3]) > tonumber(ARGV[2]) then return record end
redis.call('DEL', KEYS[1])
if redis.call('GET', KEYS[2]) == ARGV[1] then redis.call('DEL', KEYS[2]) end
return record
