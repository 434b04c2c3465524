-- Take note that a person says of a sign-in that it was not theirs. KEYS[1], KEYS[2] the lists it may be in; ARGV[1] its
-- name, ARGV[2] now (milliseconds). Answers 1; 0 where that was said before, or there is no such line (any more).
for _, key in ipairs({KEYS[1], KEYS[2]}) do
  for index, line in ipairs(redis.call('LRANGE', key, 0, -1)) do
    local name, before, disowned, rest = string.match(line, '^(%S+)( %d+ %d+ %d+ )(%d+)( .*)$')
    if name == ARGV[1] then
      if disowned ~= '0' then return 0 end
      redis.call('LSET', key, index - 1, name .. before .. ARGV[2] .. rest)
      return 1
    end
  end
end
return 0
