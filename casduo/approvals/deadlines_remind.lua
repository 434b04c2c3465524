-- Remind of a request that waits. KEYS[1] the record, KEYS[2] the deadlines, KEYS[3] the events; ARGV[1] the deadline,
-- ARGV[2] when its lease ends, ARGV[3] when to remind again or empty, ARGV[4] the event. Answers 0 where the request
-- waits no longer, or where somebody else has taken the deadline over.
local due = redis.call('ZSCORE', KEYS[2], ARGV[1])
if not due or tonumber(due) ~= tonumber(ARGV[2]) then return 0 end
if redis.call('HGET', KEYS[1], 'state') ~= 'pending' then
  redis.call('ZREM', KEYS[2], ARGV[1])
  return 0
end
if ARGV[3] ~= '' then redis.call('ZADD', KEYS[2], ARGV[3], ARGV[1]) else redis.call('ZREM', KEYS[2], ARGV[1]) end
redis.call('XADD', KEYS[3], '*', 'record', ARGV[4])
return 1
