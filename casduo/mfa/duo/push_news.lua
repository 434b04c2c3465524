-- Note how a push stands at Duo, or what became of it. KEYS[1] its record, KEYS[2] the place, KEYS[3] the count; ARGV[1]
-- what stands for it in the place, ARGV[2] the verdict, empty while there is none, ARGV[3] Duo's word, ARGV[4] Duo's text,
-- ARGV[5] now, ARGV[6] for how long it may wait, ARGV[7] how long records are kept (milliseconds).
-- The first verdict wins. An approval after the end of its time is none.
-- Answers the state that this call left the push in; nothing when nobody waits for it any more.
local found = redis.call('HMGET', KEYS[1], 'state', 'sent')
if found[1] ~= 'waiting' and found[1] ~= 'sending' then return false end
redis.call('HSET', KEYS[1], 'status', ARGV[3], 'said', ARGV[4])
if ARGV[2] == '' then return found[1] end

local verdict = ARGV[2]
if verdict == 'allowed' and found[2] and tonumber(found[2]) + tonumber(ARGV[6]) <= tonumber(ARGV[5]) then
  verdict = 'timeout'
  redis.call('HDEL', KEYS[1], 'status', 'said')
end
redis.call('HSET', KEYS[1], 'state', verdict)
redis.call('HDEL', KEYS[1], 'code')
redis.call('PEXPIRE', KEYS[1], ARGV[7])
if redis.call('GET', KEYS[2]) == ARGV[1] then redis.call('DEL', KEYS[2]) end
if verdict == 'allowed' then redis.call('DEL', KEYS[3]) end
return verdict
