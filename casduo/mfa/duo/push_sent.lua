-- Note that a push was sent and waits for an answer. KEYS[1] its record, KEYS[2] the place; ARGV[1] what stands for it in
-- the place, ARGV[2] now, ARGV[3] for how long it may wait, ARGV[4] how long records are kept (milliseconds).
-- Sending took so long that somebody else has the place by now: nobody waits for this one any more.
if redis.call('HGET', KEYS[1], 'state') ~= 'sending' then return 0 end
redis.call('PEXPIRE', KEYS[1], ARGV[4])
local holder = redis.call('GET', KEYS[2])
if holder and holder ~= ARGV[1] then
  redis.call('HSET', KEYS[1], 'state', 'dropped', 'sent', ARGV[2])
  redis.call('HDEL', KEYS[1], 'code')
  return 0
end
redis.call('HSET', KEYS[1], 'state', 'waiting', 'sent', ARGV[2])
redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[3])
return 1
