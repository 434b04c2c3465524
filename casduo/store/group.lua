-- Make the group of a queue's workers, and the queue with it, where there is none yet. KEYS[1] the stream, ARGV[1] the
-- group. It begins with the first entry there is.
local made = redis.pcall('XGROUP', 'CREATE', KEYS[1], ARGV[1], '0', 'MKSTREAM')
if made.err and not string.find(made.err, 'BUSYGROUP', 1, true) then return made end
return 1
