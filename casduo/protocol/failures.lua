-- Add failed validations of one service to its list, newest first.
-- KEYS[1] the list; ARGV[1] how many it keeps, ARGV[2] for how many seconds, ARGV[3] now (epoch seconds); the rest are
-- failures, oldest first. Each begins with its moment in epoch seconds and a space.
for number = 4, #ARGV do redis.call('LPUSH', KEYS[1], ARGV[number]) end
redis.call('LTRIM', KEYS[1], 0, tonumber(ARGV[1]) - 1)
local oldest = redis.call('LINDEX', KEYS[1], -1)
while oldest and tonumber(string.match(oldest, '^%d+')) <= tonumber(ARGV[3]) - tonumber(ARGV[2]) do
  redis.call('RPOP', KEYS[1])
  oldest = redis.call('LINDEX', KEYS[1], -1)
end
redis.call('EXPIRE', KEYS[1], ARGV[2])
return redis.status_reply('OK')
