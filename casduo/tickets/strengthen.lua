-- Put down what a second factor has proved in a live session. KEYS[1] the TGT; ARGV[1] the strength.
-- Answers 0 when the session is gone.
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
redis.call('HSET', KEYS[1], 'strength', ARGV[1])
return 1
