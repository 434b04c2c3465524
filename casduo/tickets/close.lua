-- End a session. KEYS[1] the TGT. Answers its fields; nothing when it had ended before.
-- Outstanding tickets need no deletion: taking one finds that its session is gone.
local session = redis.call('HGETALL', KEYS[1])
if #session == 0 then return false end
redis.call('DEL', KEYS[1])
return session
