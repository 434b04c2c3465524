-- Forget every browser that a person trusts. KEYS[1] the person's index; ARGV[1] what the keys of the records begin
-- with. Answers how many there were.
local forgotten = 0
for _, name in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
  forgotten = forgotten + redis.call('DEL', ARGV[1] .. name)
end
redis.call('DEL', KEYS[1])
return forgotten
