-- Note a sign-in for the person whose name was used. KEYS[1] the list it belongs into, KEYS[2] the list of those that
-- showed a right password; ARGV[1] the line's name, ARGV[2] now (milliseconds), ARGV[3] the request's reference, ARGV[4]
-- the line, ARGV[5] how many lines are kept, ARGV[6] for how long (milliseconds), ARGV[7] the same for a name of which
-- nobody ever showed a right password: then it may be nobody's.
-- A line is: its name, how often, first and last time, when it was disowned, the last reference, the rest. Of two lines
-- with one name the newer is counted with the older; what was disowned stays as it is, and a new line begins.
local name, times, first = ARGV[1], 1, ARGV[2]
local found = {}
for _, line in ipairs(redis.call('LRANGE', KEYS[1], 0, -1)) do
  local known, count, since, _, disowned, reference = string.match(line, '^(%S+) (%d+) (%d+) (%d+) (%d+) (%S*) ')
  if known then found[known] = {line, count, since, disowned, reference} end
end
while found[name] and found[name][4] ~= '0' do name = name .. 'x' end
local same = found[name]
if same then
  -- What is sent once more after a lost answer is the same sign-in.
  times, first = same[2] + (same[5] == ARGV[3] and ARGV[3] ~= '' and 0 or 1), same[3]
  redis.call('LREM', KEYS[1], 1, same[1])
end
redis.call('LPUSH', KEYS[1], table.concat({name, times, first, ARGV[2], 0, ARGV[3], ARGV[4]}, ' '))
redis.call('LTRIM', KEYS[1], 0, ARGV[5] - 1)
redis.call('PEXPIRE', KEYS[1], redis.call('EXISTS', KEYS[2]) == 1 and ARGV[6] or ARGV[7])
return times
