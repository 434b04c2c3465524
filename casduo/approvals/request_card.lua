-- Note a message that shows a request's buttons, for as long as the request is kept. KEYS[1] the record, KEYS[2] the
-- message's key; ARGV[1] the request's id, ARGV[2] the message. Answers 0 where there is no such request.
local kept = redis.call('PTTL', KEYS[1])
if kept <= 0 then return 0 end
local cards = redis.call('HGET', KEYS[1], 'cards') or ''
if not string.find(' ' .. cards .. ' ', ' ' .. ARGV[2] .. ' ', 1, true) then
  redis.call('HSET', KEYS[1], 'cards', cards == '' and ARGV[2] or cards .. ' ' .. ARGV[2])
end
redis.call('SET', KEYS[2], ARGV[1], 'PX', kept)
return 1
