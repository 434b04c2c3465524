-- Go on with a timer. KEYS[1] the order of all timers, KEYS[2] the timer; ARGV[1] the step, ARGV[2] the phone, ARGV[3]
-- the id of the timer that is meant, empty for whichever there is. A timer that was set anew meanwhile stays as it is.
--   end      it is over
--   ask      UCM is about to be asked to log the user out
--   put_off  try again at ARGV[4] (milliseconds), after ARGV[5] tries that failed
-- Answers 1, or 0 where the timer is no longer there.
local id = redis.call('HGET', KEYS[2], 'id')
if not id or (ARGV[3] ~= '' and id ~= ARGV[3]) then return 0 end
if ARGV[1] == 'end' then
  redis.call('DEL', KEYS[2])
  redis.call('ZREM', KEYS[1], ARGV[2])
elseif ARGV[1] == 'ask' then
  redis.call('HSET', KEYS[2], 'asked', 1)
else
  redis.call('HSET', KEYS[2], 'tries', ARGV[5])
  redis.call('ZADD', KEYS[1], ARGV[4], ARGV[2])
end
return 1
