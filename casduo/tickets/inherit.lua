-- Hand visits over to the session that took another one's place. KEYS[1] the TGT, KEYS[2] its visits; ARGV the visits.
-- Answers 0, and keeps nothing, when the session is gone.
local hard = redis.call('HGET', KEYS[1], 'hard')
if not hard then return 0 end
for _, visit in ipairs(ARGV) do redis.call('RPUSH', KEYS[2], visit) end
redis.call('PEXPIREAT', KEYS[2], hard)
return 1
