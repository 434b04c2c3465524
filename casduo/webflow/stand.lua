-- How a flow stands, whatever its version. KEYS[1] the flow; ARGV[1] fingerprint of the browser's flow cookie.
-- Answers {'waits', version, state}, {'over', what it ended with}, {'busy', since when (milliseconds)}, {'foreign'} or
-- {'gone'}.
local flow = redis.call('HMGET', KEYS[1], 'cookie', 'version', 'state', 'over', 'since')
if not flow[1] then return {'gone'} end
if flow[1] ~= ARGV[1] then return {'foreign'} end
if flow[4] then return {'over', flow[4]} end
if flow[3] then return {'waits', flow[2], flow[3]} end
return {'busy', flow[5] or '0'}
