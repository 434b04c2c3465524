-- Note that a person trusts a browser. KEYS[1] the person's index, names by the moment of trust, KEYS[2] the new record;
-- ARGV[1] the record, ARGV[2] its name, ARGV[3] the moment of trust, ARGV[4] how long it is good for (milliseconds),
-- ARGV[5] the name of the record it takes the place of, empty for none, ARGV[6] how many a person may have: the oldest
-- go, ARGV[7] what the keys of this person's records begin with.
for _, name in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
  if name == ARGV[5] then redis.call('DEL', ARGV[7] .. name) end
  if redis.call('EXISTS', ARGV[7] .. name) == 0 then redis.call('ZREM', KEYS[1], name) end
end
redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[4])
redis.call('ZADD', KEYS[1], ARGV[3], ARGV[2])
for _, name in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1 - ARGV[6])) do
  redis.call('DEL', ARGV[7] .. name)
  redis.call('ZREM', KEYS[1], name)
end
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[4]) then redis.call('PEXPIRE', KEYS[1], ARGV[4]) end
return 1
