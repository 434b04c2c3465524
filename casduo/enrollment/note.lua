-- Note something in a session of the enrolment pages. KEYS[1] the session; ARGV names and values, an empty value takes
-- the name away. Answers 0, and notes nothing, when the session has gone.
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
for index = 1, #ARGV, 2 do
  if ARGV[index + 1] == '' then
    redis.call('HDEL', KEYS[1], ARGV[index])
  else
    redis.call('HSET', KEYS[1], ARGV[index], ARGV[index + 1])
  end
end
return 1
