-- Set the timer of a phone, in place of the one it has. KEYS[1] the order of all timers, KEYS[2] the timer; ARGV[1] the
-- phone, ARGV[2] the timer's id, ARGV[3] the user, ARGV[4] when it is due, ARGV[5] how long to keep it (milliseconds);
-- behind them in turn names and values that it has besides.
redis.call('DEL', KEYS[2])
redis.call('HSET', KEYS[2], 'id', ARGV[2], 'user', ARGV[3], 'at', ARGV[4], 'tries', 0, 'asked', 0, unpack(ARGV, 6))
redis.call('PEXPIRE', KEYS[2], ARGV[5])
redis.call('ZADD', KEYS[1], ARGV[4], ARGV[1])
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[5]) then redis.call('PEXPIRE', KEYS[1], ARGV[5]) end
return 1
