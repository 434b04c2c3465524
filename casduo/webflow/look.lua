-- Look at a waiting flow; it goes on waiting. Arguments and answers as in claim.lua.
local flow = redis.call('HMGET', KEYS[1], 'version', 'cookie', 'state', 'again')
if not flow[1] then return {'gone'} end
if flow[2] ~= ARGV[2] then return {'foreign'} end
if flow[1] ~= ARGV[1] or not flow[3] then return {'used', flow[4]} end
return {'ok', flow[3]}
