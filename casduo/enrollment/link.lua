-- Look at a link, and use it up. KEYS[1] what is known of it; ARGV[1] who uses it, empty to leave it unused, ARGV[2] what
-- it is for, empty where that is known from before, ARGV[3] how long it is remembered (milliseconds).
-- Answers who has used it, empty for nobody but the caller, and what it is for; nothing for a link that is not known.
local user, asked = '', ARGV[2]
local held = redis.call('GET', KEYS[1])
if held then user, asked = string.match(held, '^(%S*) (.*)$') end
if asked == '' then return false end
if user ~= '' and user ~= ARGV[1] then return {user, asked} end
if user == '' then redis.call('SET', KEYS[1], ARGV[1] .. ' ' .. asked, 'PX', ARGV[3]) end
return {'', asked}
