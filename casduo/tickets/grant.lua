-- Grant a ticket on a live session and let the session's idle time begin anew.
-- KEYS[1] the TGT, KEYS[2] the new ticket; ARGV[1] the ticket's lifetime (milliseconds); then field, value ...
-- Answers 0, and grants nothing, when the session is gone.
local session = redis.call('HMGET', KEYS[1], 'hard', 'idle')
if not session[1] then return 0 end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local left = tonumber(session[1]) - now
if left <= 0 then return 0 end
redis.call('HSET', KEYS[2], unpack(ARGV, 2))
redis.call('PEXPIRE', KEYS[2], ARGV[1])
redis.call('PEXPIRE', KEYS[1], math.min(left, tonumber(session[2])))
return 1
