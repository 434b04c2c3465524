-- Note which login is under way at a phone. KEYS[1] the note; ARGV[1] what it is to hold, ARGV[2] what gives way, empty for
-- nothing, ARGV[3] how long it lives (milliseconds).
-- Answers nothing, or what the note holds instead: then it stays as it is.
local held = redis.call('GET', KEYS[1])
if held and held ~= ARGV[1] and held ~= ARGV[2] then return held end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[3])
return false
