-- End a session. KEYS[1] the TGT. Answers the session; nothing when it had ended before.
-- Outstanding tickets need no deletion: taking one finds that its session is gone.
local session = redis.call('HGET', KEYS[1], 'session')
if not session then return false end
redis.call('DEL', KEYS[1])
return session
