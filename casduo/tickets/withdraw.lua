-- Set aside what one service has to be told of a session that goes on. KEYS[1] the session's visits, KEYS[2] where they
-- wait to be told; ARGV[1] how long they wait (milliseconds), ARGV[2] the entry's id.
-- A visit is the ticket's id, a space, the entry's id, a space, and the rest. Answers how many there were.
local count = 0
for _, visit in ipairs(redis.call('LRANGE', KEYS[1], 0, -1)) do
  if string.match(visit, '^[^ ]* ([^ ]*)') == ARGV[2] then
    redis.call('LREM', KEYS[1], 1, visit)
    redis.call('RPUSH', KEYS[2], visit)
    count = count + 1
  end
end
if count > 0 then redis.call('PEXPIRE', KEYS[2], ARGV[1]) end
return count
