-- Tell a breaker that a call found nobody. KEYS[1] its record, see breaker_allow.lua; ARGV[1] the call's lease if it
-- was the probe, empty if not, ARGV[2] how many failures in a row open it, ARGV[3] 1 if this one does alone, ARGV[4] how
-- long the call took, ARGV[5] how long the record is kept (milliseconds).
-- Late news does nothing: of calls that began while it was closed before. Answers 1 if it opened, or opened anew.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local record = redis.call('HMGET', KEYS[1], 'opened', 'probe', 'closed')
if record[1] then
  if ARGV[1] ~= record[2] then return 0 end
else
  local closed = tonumber(record[3])
  if closed and now - ARGV[4] < closed and closed <= now then return 0 end
  local failures = redis.call('HINCRBY', KEYS[1], 'failures', 1)
  redis.call('PEXPIRE', KEYS[1], ARGV[5])
  if ARGV[3] ~= '1' and failures < tonumber(ARGV[2]) then return 0 end
end
redis.call('HSET', KEYS[1], 'opened', now)
redis.call('HDEL', KEYS[1], 'probe')
redis.call('PEXPIRE', KEYS[1], ARGV[5])
return 1
