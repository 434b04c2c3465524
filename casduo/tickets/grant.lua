-- Grant a ticket on a live session and let the session's idle time begin anew.
-- KEYS[1] the TGT, KEYS[2] the new ticket; ARGV[1] the ticket's lifetime (milliseconds), ARGV[2] the ticket.
-- Answers 0, and grants nothing, when the session is gone.
local session = redis.call('HMGET', KEYS[1], 'hard', 'idle')
if not session[1] then return 0 end
local time = redis.call('TIME')
local left = tonumber(session[1]) - (time[1] * 1000 + math.floor(time[2] / 1000))
if left <= 0 then return 0 end
redis.call('SET', KEYS[2], ARGV[2], 'PX', ARGV[1])
redis.call('PEXPIRE', KEYS[1], math.min(left, tonumber(session[2])))
return 1
