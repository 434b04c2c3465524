-- End a session. KEYS[1] the TGT, KEYS[2] its visits, KEYS[3] where they wait to be told; ARGV[1] how long they wait
-- (milliseconds), ARGV[2] the person who signs in anew in its place, empty for nobody.
-- Outstanding tickets need no deletion: taking one finds that its session is gone.
-- Where the same person signs in anew nobody is told: the visits are handed over to the new session.
-- Answers the session, 1 if the visits wait to be told, and the visits; nothing when it had ended before.
local session = redis.call('HGET', KEYS[1], 'session')
if not session then return false end
redis.call('DEL', KEYS[1])
local visits = redis.call('LRANGE', KEYS[2], 0, -1)
if #visits == 0 then return {session, 0, visits} end
if ARGV[2] ~= '' and cjson.decode(session)[1] == ARGV[2] then
  redis.call('DEL', KEYS[2])
  return {session, 0, visits}
end
redis.call('RENAME', KEYS[2], KEYS[3])
redis.call('PEXPIRE', KEYS[3], ARGV[1])
return {session, 1, visits}
