-- Leave a queue. KEYS[1] the stream, ARGV[1] the group, ARGV[2] who leaves, ARGV[3] the name under which entries are
-- free for all, ARGV[4] after how long (milliseconds) somebody who holds nothing counts as gone.
-- What the one who leaves still holds becomes free at once. A name that holds entries is never deleted: they would go
-- with it. Answers how many entries became free.
local held = redis.pcall('XPENDING', KEYS[1], ARGV[1], '-', '+', 10000, ARGV[2])
if held.err then return 0 end
for _, row in ipairs(held) do
  redis.call('XCLAIM', KEYS[1], ARGV[1], ARGV[3], 0, row[1], 'IDLE', 1000000000, 'JUSTID')
end
for _, row in ipairs(redis.call('XINFO', 'CONSUMERS', KEYS[1], ARGV[1])) do
  local worker = {}
  for index = 1, #row, 2 do worker[row[index]] = row[index + 1] end
  if worker.pending == 0 and (worker.name == ARGV[2] or worker.idle > tonumber(ARGV[4])) then
    redis.call('XGROUP', 'DELCONSUMER', KEYS[1], ARGV[1], worker.name)
  end
end
return #held
