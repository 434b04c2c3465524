-- Open a session of the enrolment pages on a live single sign-on session. KEYS[1] the session, KEYS[2] the TGT; ARGV[1]
-- how long it lives (milliseconds), ARGV[2] whose it is, then its fields as name and value.
-- Answers 0, and opens nothing, when the TGT has gone or is somebody else's.
local session = redis.call('HGET', KEYS[2], 'session')
if not session or cjson.decode(session)[1] ~= ARGV[2] then return 0 end
redis.call('HSET', KEYS[1], 'principal', ARGV[2], unpack(ARGV, 3))
redis.call('PEXPIRE', KEYS[1], ARGV[1])
return 1
