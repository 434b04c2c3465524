-- Take a waiting flow in order to go on with it. From now on nobody else can, until it waits again.
-- KEYS[1] the flow; ARGV[1] the version the caller holds, ARGV[2] fingerprint of the browser's flow cookie, ARGV[3] now
-- (milliseconds), for those who ask later since when it is being worked on.
-- Answers {'ok', state}, {'used', where to begin again}, {'foreign'} or {'gone'}.
local flow = redis.call('HMGET', KEYS[1], 'version', 'cookie', 'state', 'again')
if not flow[1] then return {'gone'} end
if flow[2] ~= ARGV[2] then return {'foreign'} end
if flow[1] ~= ARGV[1] or not flow[3] then return {'used', flow[4]} end
redis.call('HDEL', KEYS[1], 'state')
redis.call('HSET', KEYS[1], 'since', ARGV[3])
return {'ok', flow[3]}
