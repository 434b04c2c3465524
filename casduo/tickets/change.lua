-- Change fields of a live session. KEYS[1] the TGT; ARGV field, value ... Answers 0 when the session is gone.
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
redis.call('HSET', KEYS[1], unpack(ARGV))
return 1
